import type { Channel } from "amqplib";

export const queue = "secure";

/** Declares the queue. Both programs do, so it doesn't matter which one runs first. */
export async function declareSecure(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
