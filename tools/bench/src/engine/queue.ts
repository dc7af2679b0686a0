import { randomUUID } from "node:crypto";
import amqp, { type ConfirmChannel } from "amqplib";
import type { AmqplibOptions, Consumer } from "./roles.ts";
import { type Measured, type RunContext, share } from "./run.ts";
import { numbered } from "./seen.ts";
import type { Program } from "./worker.ts";

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

/**
 * Fills a classic queue, has a consumer empty it, and measures that.
 *
 * @param consumer Makes the program of what it is told.
 * @param work How many messages of how many bytes, those of the warm-up not included, and how they are consumed.
 */
export function emptyQueue(
  surroundings: RunContext,
  consumer: (options: Consumer & AmqplibOptions) => Program,
  work: Omit<Consumer, "queue"> & { size: number; warmUp: number },
): Promise<Measured> {
  const { size, count, ...how } = work;
  const messages = count + work.warmUp;
  return withQueue(surroundings.amqpUrl, "classic", async (queue, channel) => {
    for (let n = 0; n < messages; n++) channel.sendToQueue(queue, numbered(n, size), { persistent: true });
    await channel.waitForConfirms();
    const consumers = [consumer({ queue, count: messages, ...how })];
    const remaining = async () => (await channel.checkQueue(queue)).messageCount;
    return share({ consumers, messages, warmUp: work.warmUp, remaining }, surroundings);
  });
}
