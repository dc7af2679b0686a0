import type { Channel } from "amqplib";

export const queue = "hello";

/** Declares the queue. Both programs call it, so you can start them in either order. */
export async function declareHello(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
