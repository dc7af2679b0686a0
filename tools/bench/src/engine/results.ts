import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Environment } from "./machine.ts";
import type { Measured } from "./run.ts";

/** All that could have been different: sizes in bytes, counts in messages, times in ms. */
export type Settings = Record<string, string | number | boolean>;

/** One measured run: a line of the file. */
export interface Result {
  benchmark: string;
  /** From 1. */
  round: number;
  /** Which of the ways that are compared. */
  way: string;
  settings: Settings;
  measured: Measured;
  environment: Environment;
  /** When it ended, in ISO 8601. */
  at: string;
}

/** One of the ways that are compared. */
export interface Variant {
  way: string;
  settings: Settings;
  /** What the progress calls it. By default its name and its settings. */
  label?: string;
  /** Does the work once. What it has started has ended when it settles. */
  run(): Promise<Measured>;
}

export interface InterleaveOptions {
  benchmark: string;
  /** How many rounds count. */
  rounds: number;
  /** Gets a line of JSON for each result when it has been measured. What it had is lost. */
  file: string;
  /** Leaves out the round that doesn't count. */
  quick?: boolean;
  /** Shows which run begins, and how long all are going to take. */
  say(line: string): void;
  environment: Environment;
  /** Stops before the next run. In the middle of one, `Variant.run` has to stop by itself. */
  signal?: AbortSignal;
}

/**
 * Measures all ways in turns, since the speed of a machine drifts: each round starts with another way, after a first
 * round that doesn't count.
 *
 * @param ways What is compared.
 * @returns All results.
 * @throws When a way fails or the signal is aborted.
 */
export async function interleave(ways: Variant[], options: InterleaveOptions): Promise<Result[]> {
  const { benchmark, rounds, file, quick = false, say, environment, signal } = options;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  const runs: { round: number; way: Variant }[] = [];
  for (let round = quick ? 1 : 0; round <= rounds; round++) {
    const turn = [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)];
    for (const way of turn) runs.push({ round, way });
  }
  const results: Result[] = [];
  const began = performance.now();
  for (const [done, { round, way }] of runs.entries()) {
    signal?.throwIfAborted();
    const minutes = (performance.now() - began) / 60_000;
    const left = done > 0 ? `, ${Math.ceil((minutes / done) * (runs.length - done))} min left` : "";
    const phase = round === 0 ? "warming up" : `round ${round} of ${rounds}`;
    say(`${benchmark}: ${phase}: ${way.label ?? `${way.way} ${settingsInWords(way.settings)}`}${left} …`);
    const measured = await way.run();
    if (round === 0) continue;
    const at = new Date().toISOString();
    const result = { benchmark, round, way: way.way, settings: way.settings, measured, environment, at };
    results.push(result);
    appendFileSync(file, `${JSON.stringify(result)}\n`);
  }
  return results;
}

/** Settings in a line: "queue=quorum, size=100". */
export const settingsInWords = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
