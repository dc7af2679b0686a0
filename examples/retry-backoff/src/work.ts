import { setTimeout } from "node:timers/promises";

/** How work goes wrong. */
export interface Trouble {
  /** How many attempts fail before one succeeds. */
  failTimes: number;
  /** Only jobs in which this occurs fail. */
  failOn: string;
}

/**
 * Does a job: nothing, for the length of a unit for each dot in it.
 *
 * @param attempt Which attempt this is, from 1 on.
 * @param unit In ms.
 * @throws {Error} When it fails.
 */
export async function work(job: Buffer, attempt: number, unit: number, trouble: Trouble): Promise<void> {
  await setTimeout((job.toString().split(".").length - 1) * unit);
  if (attempt <= trouble.failTimes && job.includes(trouble.failOn))
    throw new Error(`simulated failure ${attempt}`);
}
