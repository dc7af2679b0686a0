import type { Channel } from "amqplib";

/**
 * The attempts at a job. The name of a job's queue tells which attempt is due, so nothing is noted in the job.
 *
 * `wait`: how long a job waits when that attempt has failed, in ms. Short, so that you can watch.
 */
export const attempts = [
  { number: 1, queue: "jobs", wait: 200 },
  { number: 2, queue: "jobs_2", wait: 400 },
  { number: 3, queue: "jobs_3", wait: 800 },
  { number: 4, queue: "jobs_4", wait: undefined },
] as const;
export const { queue } = attempts[0];
export const parked = "parked_jobs";

/**
 * Arguments of a queue whose dead letters go to another queue.
 *
 * At-least-once: the queue keeps a dead letter until the other queue has confirmed it, so that a broker that dies in
 * that moment doesn't lose it. Only a quorum queue can do that, and only with reject-publish.
 */
const deadLettersGoTo = (target: string) => ({
  "x-queue-type": "quorum",
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": target,
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
});

/** Declares the chain: each attempt's queue leads to a queue to wait in, and that to the next attempt's queue. */
export async function declareJobs(channel: Channel): Promise<void> {
  const declare = (name: string, target: string, more: Record<string, number>) =>
    channel.assertQueue(name, { durable: true, arguments: { ...deadLettersGoTo(target), ...more } });

  // Each look at a parked job counts as a failed delivery. RabbitMQ 4's default limit is 20, so set a higher one.
  await declare(parked, queue, { "x-delivery-limit": 1_000_000_000 });
  for (const { number, queue: name, wait } of attempts) {
    const waiting = `jobs_wait_${wait}ms`;
    // A delivery that ends without an answer is a failed attempt: its worker may have died of the job.
    await declare(name, wait === undefined ? parked : waiting, { "x-delivery-limit": 0 });
    // All jobs in a queue wait equally long. Only the first one in a queue can expire, and it is the next one due.
    if (wait !== undefined) await declare(waiting, `jobs_${number + 1}`, { "x-message-ttl": wait });
  }
}
