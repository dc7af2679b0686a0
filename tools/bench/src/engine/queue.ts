import { randomUUID } from "node:crypto";
import amqp, { type ConfirmChannel } from "amqplib";

export const queueTypes = ["classic", "quorum"] as const;
export type QueueType = (typeof queueTypes)[number];

/**
 * Declares a durable queue for as long as the work takes: each run has a fresh one.
 *
 * @param amqpUrl Where.
 * @param type Of the queue.
 * @param work What to do with it.
 * @param maxLength How many messages it keeps: the newest. By default all.
 * @returns What the work returns.
 */
export async function withQueue<T>(
  amqpUrl: string,
  type: QueueType,
  work: (queue: string, channel: ConfirmChannel) => Promise<T>,
  maxLength?: number,
): Promise<T> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  try {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue(`bench-${randomUUID()}`, {
      durable: true,
      arguments: { "x-queue-type": type, ...(maxLength && { "x-max-length": maxLength }) },
    });
    try {
      return await work(queue, channel);
    } finally {
      await channel.deleteQueue(queue);
    }
  } finally {
    await connection.close();
  }
}
