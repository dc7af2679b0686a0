import type { Channel } from "amqplib";

/** Declares the queue that worker.ts consumes: a quorum queue, whose acknowledgements survive a power cut. */
export async function declareWork(channel: Channel): Promise<void> {
  await channel.assertQueue("work", { durable: true, arguments: { "x-queue-type": "quorum" } });
}
