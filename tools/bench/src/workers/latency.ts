import { build } from "hdr-histogram-js";
import { percentiles } from "../engine/roles.ts";

/**
 * Notes how long things took, in a histogram of 3 significant digits from 1 µs to a minute (Gil Tene's HdrHistogram).
 *
 * @returns `record`, which takes a time in ms, and `report`, which gives `percentiles` and `max` in ms.
 */
export function latencies() {
  const microseconds = build({ highestTrackableValue: 60e6, numberOfSignificantValueDigits: 3 });
  return {
    record: (ms: number): void => microseconds.recordValue(Math.round(ms * 1000)),
    report(): Record<string, number> {
      const entries = Object.entries(percentiles).map(([name, percent]) => [
        name,
        microseconds.getValueAtPercentile(percent) / 1000,
      ]);
      return { ...Object.fromEntries(entries), max: microseconds.maxValue / 1000 };
    },
  };
}
