import { setTimeout } from "node:timers/promises";
import type { Progress } from "../progress.ts";
import type { Measured } from "../results.ts";
import { addUp, type Tally } from "../seen.ts";
import { type Done, type Program, startWorker, type Worker, type WorkerOptions } from "../worker.ts";

export interface Run {
  producer: Program;
  consumers: Program[];
  /** Messages. */
  messages: number;
  /** For all workers. */
  options: Pick<WorkerOptions, "amqpUrl" | "env" | "signal">;
  /** How long, in ms, nothing may arrive before what hasn't arrived counts as lost. By default 20 s. */
  patience?: number;
  /** Looks at the broker, when the consumers have ended, for messages that it still has to deliver. */
  remaining(): Promise<number>;
}

/**
 * Has a producer publish and consumers share what it publishes, and counts.
 *
 * @returns `throughput` in messages a second, from just before the first publish to the last acknowledgement (or
 *   commit); `publishing`, to the last publish or confirm; `duplicates`: deliveries of a message that a consumer had had
 *   before; `leastShare`: how many messages the consumer had that had fewest.
 * @throws When a message is missing, the broker still has one to deliver, a worker fails, or the signal says so.
 */
export async function run(run: Run, progress: Progress): Promise<Measured> {
  const { messages, options, patience = 20_000 } = run;
  const counts = run.consumers.map(() => 0);
  const sum = () => counts.reduce((sum, count) => sum + count, 0);
  let changed = performance.now();
  const consumers = run.consumers.map((program, n) =>
    startWorker(program, {
      ...options,
      onProgress(count) {
        if (count !== counts[n]) changed = performance.now();
        counts[n] = count;
        progress.update(sum());
      },
    }),
  );
  const producer = startWorker(run.producer, options);
  const workers = [...consumers, producer];
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    producer.go();
    const published = numbers(await unlessOneFails(producer.done, consumers), "first", "last");
    changed = performance.now();
    while (sum() < messages && performance.now() - changed < patience)
      await unlessOneFails(setTimeout(50), consumers);
    for (const consumer of consumers) consumer.go();
    const reports = await Promise.all(consumers.map(({ done }) => done));

    const { missing, duplicates } = addUp(reports as unknown as Tally[], messages);
    if (missing > 0) throw new Error(`${missing} of ${messages} messages have not arrived.`);
    const remaining = await run.remaining();
    if (remaining > 0) throw new Error(`All have arrived, but the broker would deliver ${remaining} again.`);
    const each = reports.map((report) => numbers(report, "count", "last"));
    const last = Math.max(...each.map(({ last }) => last));
    const perSecond = (ended: number) => messages / ((ended - published.first) / 1000);
    return {
      throughput: perSecond(last),
      publishing: perSecond(published.last),
      duplicates,
      leastShare: Math.min(...each.map(({ count }) => count)),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
}

/** A consumer ends only when it is told to: before that, its end is a failure. */
function unlessOneFails<T>(promise: Promise<T>, consumers: Worker[]): Promise<T> {
  const ended = consumers.map(({ done }) =>
    done.then(() => Promise.reject(new Error("A consumer has ended before it was told to."))),
  );
  return Promise.race([promise, ...ended]);
}

function numbers<Name extends string>(done: Done, ...names: Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, Number(done[name])])) as Record<Name, number>;
}
