import { setTimeout } from "node:timers/promises";
import type { Channel } from "amqplib";
import { addUp, type Tally } from "./seen.ts";
import { type Done, type Program, startWorker, type Worker } from "./worker.ts";

/** Figures by name, in the unit that the benchmark's report names. */
export type Measured = Record<string, number>;

/** What all runs of a benchmark have in common. */
export interface RunContext {
  /** For AMQP_URL. */
  amqpUrl: string;
  /** Ends the workers. */
  signal?: AbortSignal;
}

/**
 * Starts workers, does the work when all are ready, and ends them.
 *
 * @param programs What to start.
 * @param surroundings For all.
 * @param work What to do with them.
 * @param onProgress Hears which of them has done how much.
 * @returns What the work returns.
 */
async function withWorkers<T>(
  programs: Program[],
  surroundings: RunContext,
  work: (workers: Worker[]) => Promise<T>,
  onProgress: (worker: number, count: number) => void = () => {},
): Promise<T> {
  const workers = programs.map((program, n) =>
    startWorker(program, { ...surroundings, onProgress: (count) => onProgress(n, count) }),
  );
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    return await work(workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
}

/** Awaits a promise, and rejects as soon as one of those ends that run until they are told to stop. */
function whileRunning<T>(promise: Promise<T>, workers: Worker[]): Promise<T> {
  const early = ({ done }: Worker) =>
    done.then(() => Promise.reject(new Error("A worker has ended before it was told to.")));
  return Promise.race([promise, ...workers.map(early)]);
}

/** What a producer reports, as figures: `throughput` each second, and the rest as it is. */
export const measuredBy = ({ count, first, last, ...rest }: Done): Measured => ({
  throughput: rate(Number(count), Number(first), Number(last)),
  ...(rest as Measured),
});

/** Messages a second. Times are in ms. */
const rate = (messages: number, first: number, last: number) => (messages / (last - first)) * 1000;

/**
 * Has a producer fill a queue.
 *
 * @param held How many messages the queue must hold then, those of a warm-up included.
 * @returns What it measured.
 */
export function publish(
  producer: Program,
  { queue, channel, held }: { queue: string; channel: Channel; held: number },
  surroundings: RunContext,
): Promise<Measured> {
  return withWorkers([producer], surroundings, async ([worker]) => {
    worker?.go();
    const done = await worker?.done;
    const { messageCount } = await channel.purgeQueue(queue);
    if (messageCount !== held)
      throw new Error(`${messageCount} of ${held} confirmed messages are in the queue.`);
    return measuredBy(done ?? {});
  });
}

export interface Sharing {
  /** Without one, the messages are in the queue already. */
  producer?: Program;
  consumers: Program[];
  /** How many there are. */
  messages: number;
  /** How many of them don't count, without a producer: those that each consumer takes first. */
  warmUp?: number;
  /** How long, in ms, nothing may arrive before what hasn't arrived counts as lost. By default 20 s. */
  patience?: number;
  /** Asks the broker, when the consumers have ended, how many messages it still has to deliver. */
  remaining(): Promise<number>;
}

/**
 * Has consumers share what a producer publishes, or what is in the queue, and counts.
 *
 * @returns `throughput` in messages a second, from just before the first publish (or from the first delivery after the
 *   warm-up) to the last acknowledgement or commit; with a producer also `publishing`, to the last publish or confirm;
 *   `duplicates`: deliveries of a message that a consumer had had before; `leastShare`: how many messages the consumer
 *   had that had fewest.
 * @throws When a message is missing, the broker still has one to deliver, a worker fails, or the signal is aborted.
 */
export function share(sharing: Sharing, surroundings: RunContext): Promise<Measured> {
  const { producer, consumers, messages, warmUp = 0, patience = 20_000, remaining } = sharing;
  const counts = consumers.map(() => 0);
  const sum = () => counts.reduce((sum, count) => sum + count, 0);
  let changed = performance.now();
  const onProgress = (worker: number, count: number) => {
    if (worker >= counts.length || counts[worker] === count) return;
    changed = performance.now();
    counts[worker] = count;
  };
  const programs = [...consumers, ...(producer ? [producer] : [])];
  const work = async (workers: Worker[]) => {
    const consuming = workers.slice(0, consumers.length);
    const publishing = workers[consumers.length];
    publishing?.go();
    const published = publishing && (await whileRunning(publishing.done, consuming));
    changed = performance.now();
    while (sum() < messages && performance.now() - changed < patience)
      await whileRunning(setTimeout(50), consuming);
    for (const consumer of consuming) consumer.go();
    const reports = await Promise.all(consuming.map(({ done }) => done));

    const { missing, duplicates } = addUp(reports as unknown as Tally[], messages);
    if (missing > 0) throw new Error(`${missing} of ${messages} messages have not arrived.`);
    const left = await remaining();
    if (left > 0) throw new Error(`All have arrived, but the broker would deliver ${left} again.`);
    const all = (name: string) => reports.map((report) => Number(report[name]));
    const first = Number(published?.first ?? Math.min(...all("first")));
    return {
      throughput: rate(messages - warmUp, first, Math.max(...all("last"))),
      ...(published && { publishing: rate(messages, first, Number(published.last)) }),
      duplicates,
      leastShare: Math.min(...all("count")),
    };
  };
  return withWorkers(programs, surroundings, work, onProgress);
}
