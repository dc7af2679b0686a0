import type { Channel } from "amqplib";

export const queue = "account_events";

/** Declares the queue. Of all its consumers only one is active, and the broker chooses which. */
export async function declareEvents(channel: Channel): Promise<void> {
  const args = { "x-queue-type": "quorum", "x-single-active-consumer": true };
  await channel.assertQueue(queue, { durable: true, arguments: args });
}
