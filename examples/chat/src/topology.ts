import type { Channel, Replies } from "amqplib";

/** The queue in which a person's messages wait. */
export const queueOf = (name: string): string => `${name}_queue`;

/**
 * Whether a word can be a name: 1 to 32 letters and digits of any script, `-` and `_` inside. A queue's name has
 * at most 255 bytes, which is enough for these.
 */
export const isName = (word: unknown): word is string =>
  typeof word === "string" && /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,31}$/u.test(word);

/**
 * Declares the queue of one person. Both programs do, so it does not matter which one runs first. It keeps what is written
 * to somebody who is away, through a restart of the broker as well.
 *
 * @returns What the broker tells about it, such as the number of programs that read it.
 */
export function declareInbox(channel: Channel, name: string): Promise<Replies.AssertQueue> {
  return channel.assertQueue(queueOf(name), {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      // Two readers would get every other message each. So a second one waits until the first is gone. (An exclusive
      // consumer would say that better, but RabbitMQ 3.10 and 4.3 let others consume a quorum queue beside it.)
      "x-single-active-consumer": true,
    },
  });
}
