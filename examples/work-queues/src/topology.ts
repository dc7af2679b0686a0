import type { Channel } from "amqplib";

export const queue = "task_queue";

/** Declares the queue. It is durable: it survives a restart of the broker, and so do the tasks in it. */
export async function declareTasks(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
