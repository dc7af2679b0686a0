import type { Channel } from "amqplib";

export const queue = "jobs";
export const parked = "parked_jobs";

/** A queue in which a job waits for its next attempt. */
export interface Delay {
  queue: string;
  /** How long it keeps a job. */
  ms: number;
}

/** The longest unit, in ms: an hour. */
export const longest = 3_600_000;

/** The waits after the first failed attempt, the second and the third, in units. After one more, a job is parked. */
const steps = [1, 2, 4];

/**
 * Arguments of a queue whose dead go to another.
 *
 * At-least-once: a dead message is kept until the other queue has confirmed it, so that a broker that dies in that
 * moment doesn't lose it. Only a quorum queue can do that, and only one that refuses what it has no room for.
 */
const deadGoTo = (target: string) => ({
  "x-queue-type": "quorum",
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": target,
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
});

/** Declares the queue of jobs, and first the one for those that are given up. */
export async function declareJobs(channel: Channel): Promise<void> {
  // Not a quorum queue: there, each look counts as a failed delivery, and in RabbitMQ 4 the 21st drops the message.
  await channel.assertQueue(parked, { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.assertQueue(queue, {
    durable: true,
    // A job that has come back twice without an answer, and comes back again, has killed three workers. It is parked.
    // RabbitMQ 3 has no limit by default, RabbitMQ 4 one of 20, so say which.
    arguments: { ...deadGoTo(parked), "x-delivery-limit": 2 },
  });
}

/**
 * Declares the delay queues. In each of them all jobs wait equally long, so that the one at the head, the only one
 * that can expire, is always the next whose time is up.
 *
 * @param unit The first wait, in ms. It is part of the names: workers with different units don't disturb each other.
 * @returns The delays in their order: after the first failed attempt, the second …
 */
export async function declareDelays(channel: Channel, unit: number): Promise<Delay[]> {
  const delays = steps.map((step) => ({ queue: `jobs_wait_${step * unit}ms`, ms: step * unit }));
  for (const { queue: name, ms } of delays)
    await channel.assertQueue(name, {
      durable: true,
      arguments: { ...deadGoTo(queue), "x-message-ttl": ms },
    });
  return delays;
}
