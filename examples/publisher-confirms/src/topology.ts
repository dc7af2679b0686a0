import type { Channel } from "amqplib";

export const queue = "confirms";

/** Declares the queue. Durable and replicated: what it has confirmed, a crash doesn't lose. */
export async function declareConfirms(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
