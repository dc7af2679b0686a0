import type { Channel } from "amqplib";

export const queue = "rpc_queue";

/** Declares the queue of requests. Only the servers do. Answers need no queue: see call.ts. */
export async function declareRequests(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
