// A worker's side of ../engine/worker.ts: its role, its options, its events, and the line that it is sent.

import { createHistogram } from "node:perf_hooks";
import { createInterface } from "node:readline";

/** The role and its options, as ../engine/programs.ts passes them. */
export const role = process.argv[2] ?? "";
export const options = JSON.parse(process.argv[3] ?? "{}");

/** Prints an event. */
export const say = (event: "ready" | "progress" | "done", more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

const lines = createInterface({ input: process.stdin });
const line = new Promise<void>((resolve) => lines.once("line", () => resolve()));
// The process that started this one has ended.
lines.on("close", () => process.exit());

/** Resolves when the line has come that means "go", or "stop". */
export const told = (): Promise<void> => line;

/** Now, in ms since 1970 with fractions: the same clock for all processes of this machine. */
export const now = (): number => performance.timeOrigin + performance.now();

/**
 * Notes how long things took, in Node's HdrHistogram of 3 significant digits.
 *
 * @returns `record`, which takes a time in ms, and `report`, which gives two percentiles and the greatest in ms.
 */
export function latencies() {
  const microseconds = createHistogram({ figures: 3 });
  return {
    record: (ms: number): void => microseconds.record(Math.max(1, Math.round(ms * 1000))),
    report(): Record<string, number> {
      const at = (percent: number) => microseconds.percentile(percent) / 1000;
      return { p50: at(50), p99: at(99), max: microseconds.max / 1000 };
    },
  };
}

let [heap, rss] = [0, 0];

/**
 * Reports every 100 ms how much is done, and notes how much memory that takes.
 *
 * @param count Returns how many messages that is.
 */
export function sayProgress(count: () => number): void {
  setInterval(() => {
    say("progress", { count: count() });
    const usage = process.memoryUsage();
    heap = Math.max(heap, usage.heapUsed);
    rss = Math.max(rss, usage.rss);
  }, 100).unref();
}

/** The most memory that was in use, in MiB: V8's heap, and the whole process. */
const peaks = () => ({ heap: heap / 2 ** 20, rss: rss / 2 ** 20 });

/** Counts what is open, so that a loop can wait until there is room for more. */
export function openCount() {
  let open = 0;
  let onClose = () => {};
  return {
    get size() {
      return open;
    },
    add: () => void open++,
    remove() {
      open--;
      onClose();
    },
    /** Resolves when fewer are open than the limit. */
    below: (limit: number) =>
      new Promise<void>((resolve) => {
        onClose = () => open < limit && resolve();
        onClose();
      }),
  };
}

/**
 * Publishes a warm-up, and then, when it is told to, what is measured; reports what a producer does.
 *
 * @param count Messages, those of the warm-up not included.
 * @param publish Publishes until so many are published and, where it asks for confirms, confirmed.
 * @param more What else is reported at the end.
 */
export async function measurePublishing(
  { count, warmUp = 0 }: { count: number; warmUp?: number },
  publish: (until: number) => Promise<void>,
  published: () => number,
  more: () => object = () => ({}),
): Promise<void> {
  await publish(warmUp);
  say("ready");
  await told();
  sayProgress(() => published() - warmUp);
  const first = now();
  await publish(warmUp + count);
  const last = now();
  // It stays until it is ended: see `Producer` in ../engine/roles.ts.
  say("done", { count, first, last, ...more(), ...peaks() });
}
