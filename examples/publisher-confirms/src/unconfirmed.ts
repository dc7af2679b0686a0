import type { ConfirmChannel } from "amqplib";
import type { Message } from "./messages.ts";
import { queue } from "./topology.ts";

/** What is still to be published, by id. A message leaves when the broker has confirmed it, and not before. */
export type Unconfirmed = Map<string, Message>;

/**
 * Publishes one message.
 *
 * @param answered Called when the broker has confirmed the message, which then is unconfirmed no more, or refused it.
 * @returns false when amqplib's buffer is full. The message is in it, but the next one had better wait for `drain`.
 */
export function publish(
  channel: ConfirmChannel,
  unconfirmed: Unconfirmed,
  [id, { content, options }]: [string, Message],
  answered: () => void,
): boolean {
  return channel.sendToQueue(queue, content, options, (refusal) => {
    if (!refusal) unconfirmed.delete(id);
    answered();
  });
}
