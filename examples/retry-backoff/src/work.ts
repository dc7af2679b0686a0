import { setTimeout } from "node:timers/promises";

/**
 * How long a job takes, in ms: a second for each dot in it, but no more than ten. A message from elsewhere must not hold
 * a worker for longer.
 */
export const duration = (job: Buffer) => Math.min(job.toString().split(".").length - 1, 10) * 1000;

/**
 * Does a job, which here means to wait.
 *
 * @param attempt Which attempt this is, from 1 on.
 * @param failTimes How many attempts fail before one succeeds.
 * @param failOn Only jobs in which this occurs fail.
 * @throws {Error} When it fails.
 */
export async function work(job: Buffer, attempt: number, failTimes: number, failOn: string): Promise<void> {
  await setTimeout(duration(job));
  if (attempt <= failTimes && job.includes(failOn)) throw new Error(`simulated failure ${attempt}`);
}
