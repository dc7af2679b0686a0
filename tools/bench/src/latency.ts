import { build } from "hdr-histogram-js";
import type { Measured } from "./results.ts";
import type { Done } from "./worker.ts";

/** The percentiles that are kept, by their names in `measured`. */
export const percentiles = { p50: 50, p90: 90, p99: 99, p999: 99.9 };

/**
 * Notes how long things took, in a histogram of 3 significant digits from 1 µs to a minute (Gil Tene's HdrHistogram).
 *
 * @returns `record`, which takes a time in ms, and `report`, which gives `percentiles` and `max` in ms.
 */
export function latencies() {
  const microseconds = build({ highestTrackableValue: 60e6, numberOfSignificantValueDigits: 3 });
  return {
    record: (ms: number): void => microseconds.recordValue(Math.round(ms * 1000)),
    report: (): Measured => ({
      ...Object.fromEntries(
        Object.entries(percentiles).map(([name, percent]) => [
          name,
          microseconds.getValueAtPercentile(percent) / 1000,
        ]),
      ),
      max: microseconds.maxValue / 1000,
    }),
  };
}

/**
 * What a worker has measured that has published, or called.
 *
 * @param done `count`, `first` and `last`, and what `latencies` reports.
 * @returns `throughput`, in messages or calls a second from the first to the last, and the latencies.
 */
export function measuredBy(done: Done): Measured {
  const { count, first, last, ...rest } = done as Measured;
  const named = [...Object.keys(percentiles), "max"].map((name) => [name, Number(rest[name])]);
  const throughput = (Number(count) / (Number(last) - Number(first))) * 1000;
  return { throughput, ...Object.fromEntries(named) };
}
