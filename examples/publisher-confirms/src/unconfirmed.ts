import type { ConfirmChannel } from "amqplib";
import type { Message } from "./messages.ts";
import { queue } from "./topology.ts";

/** What is still to be published, by id. A message leaves when the broker has confirmed it, and not before. */
export type Unconfirmed = Map<string, Message>;

/** Publishes one message; `answered` is called when the broker has confirmed it or refused it. */
export type Publish = (message: [id: string, Message], answered: () => void) => boolean;

/**
 * Prepares a channel for publishing. Once the broker has refused a message it publishes no more: if the queue is full,
 * the next one would be refused, too.
 *
 * @param unconfirmed What is published from. What is confirmed leaves it.
 * @returns A function that publishes one message, and returns `false` when amqplib's buffer is full: the message is in
 *   it, but the next one had better wait for `drain`.
 */
export function publisher(channel: ConfirmChannel, unconfirmed: Unconfirmed): Publish {
  let refused = false;
  return ([id, { content, options }], answered) => {
    if (refused) {
      answered();
      return true;
    }
    return channel.sendToQueue(queue, content, options, (refusal) => {
      if (refusal) refused = true;
      else unconfirmed.delete(id);
      answered();
    });
  };
}
