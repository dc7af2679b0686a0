import type { Memory } from "./client.ts";
import { type Fault, type FaultKind, kinds } from "./faults.ts";
import type { Figures } from "./ledger.ts";

/** What a fault has done. */
export interface FaultOutcome {
  kind: Fault["kind"];
  /** ms, for each consumer that was disconnected. */
  away: number[];
}

/** What a process had in use after so many faults. */
export interface Sample extends Memory {
  process: string;
  faults: number;
}

/**
 * The figures at the end.
 *
 * @param figures What became of the messages.
 * @param outcomes What the faults did.
 * @param samples The memory of the processes that lived from the beginning to the end, in order of time.
 * @returns Lines.
 */
export function report(figures: Figures, outcomes: FaultOutcome[], samples: Sample[]): string[] {
  const { lost, ...counts } = figures;
  return [
    "",
    "Messages, by their ids",
    ...Object.entries({ ...counts, lost: lost.length }).map(([what, count]) => row(what, whole(count))),
    ...(lost.length > 0 ? [`  lost: ${lost.slice(0, 10).join(" ")}${lost.length > 10 ? " …" : ""}`] : []),
    "",
    "Faults, and the longest time a consumer was away: from the moment when its broker could be reached",
    ...(Object.keys(kinds) as FaultKind[]).flatMap((kind) => faultRow(kind, outcomes)),
    row("all", whole(outcomes.length), longest(outcomes)),
    "",
    "Memory, after a collection of garbage: at first, at last, and what each fault of the second half added",
    ...[...new Set(samples.map(({ process }) => process))].map((process) =>
      memoryRow(
        process,
        samples.filter((sample) => sample.process === process),
      ),
    ),
  ];
}

function faultRow(kind: FaultKind, outcomes: FaultOutcome[]): string[] {
  const ofKind = outcomes.filter((outcome) => outcome.kind === kind);
  return ofKind.length === 0 ? [] : [row(kinds[kind].name, whole(ofKind.length), longest(ofKind))];
}

function longest(outcomes: FaultOutcome[]): string {
  const away = outcomes.flatMap((outcome) => outcome.away);
  return away.length === 0 ? "no consumer" : seconds(Math.max(...away));
}

function memoryRow(process: string, samples: Sample[]): string {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  // In the first, code is compiled and buffers grow to the size that they need.
  const later = samples.filter(({ faults }) => faults >= last.faults / 2);
  const part = (what: keyof Memory) =>
    `${mebibytes(first[what])} → ${mebibytes(last[what])} MiB (${(slope(later, what) / 1024).toFixed(1)} KiB)`;
  return row(process, `RSS ${part("rss")}, heap ${part("heap")}`);
}

/** The slope of the straight line that fits best (least squares): bytes for each fault. */
function slope(samples: Sample[], what: keyof Memory): number {
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [x, y] = [mean(samples.map(({ faults }) => faults)), mean(samples.map((sample) => sample[what]))];
  const squares = mean(samples.map(({ faults }) => (faults - x) ** 2));
  if (squares === 0) return 0;
  return mean(samples.map((sample) => (sample.faults - x) * (sample[what] - y))) / squares;
}

const row = (what: string, ...cells: string[]) =>
  `  ${[what.padEnd(33), ...cells.map((cell) => cell.padStart(11))].join(" ")}`;
const whole = (number: number) => number.toLocaleString("en");
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** A time in words. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
