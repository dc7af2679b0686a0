import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Environment } from "./machine.ts";
import type { Measured } from "./run.ts";
import { UserError } from "./session.ts";

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

/**
 * Reads a file of results: JSON lines, each written when it has been measured.
 *
 * @returns All results. A last line that was cut in the middle is removed; a file that doesn't exist has none.
 * @throws When another line isn't JSON.
 */
export function readResults(path: string): Result[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  // What follows the last line feed was cut in the middle, or is empty. The next result must not follow it.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole !== text) writeFileSync(path, whole);
  return whole
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Adds a result to a file, so that what ends the program loses one run at most. */
export function appendResult(path: string, result: Result): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(result)}\n`);
}

/** One of the ways that are compared. */
export interface Way {
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
  /** Of the results. */
  file: string;
  /** Keeps what the file has and measures the rest; otherwise the file starts empty. */
  resume: boolean;
  /** Leaves out the round that doesn't count. */
  quick?: boolean;
  /** Shows which run begins, and how long all are going to take. */
  say(line: string): void;
  environment: Environment;
  /** Stops before the next run. In the middle of one, `Way.run` has to stop by itself. */
  signal?: AbortSignal;
}

/**
 * Measures all ways in turns, since the speed of a machine drifts: each round starts with another way, after a first
 * round that doesn't count.
 *
 * @param ways What is compared.
 * @returns All results of the file.
 * @throws When a way fails, the signal is aborted, or the file to go on with is of another machine or other versions.
 */
export async function interleave(ways: Way[], options: InterleaveOptions): Promise<Result[]> {
  const { benchmark, rounds, file, resume, quick = false, say, environment, signal } = options;
  if (!resume) rmSync(file, { force: true });
  const kept = readResults(file);
  if (kept.some((result) => !isDeepStrictEqual(result.environment, environment)))
    throw new UserError(
      `${file} was measured on another machine or with other versions. Run it without --resume.`,
    );
  const isKept = (round: number, { way, settings }: Way) =>
    kept.some(
      (result) =>
        result.round === round && result.way === way && isDeepStrictEqual(result.settings, settings),
    );
  const runs: { round: number; way: Way }[] = [];
  for (let round = quick ? 1 : 0; round <= rounds; round++) {
    const turn = [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)];
    for (const way of turn) if (!isKept(round, way)) runs.push({ round, way });
  }
  // The file is complete: there is nothing to warm up for.
  if (runs.every(({ round }) => round === 0)) return kept;

  const began = performance.now();
  for (const [done, { round, way }] of runs.entries()) {
    signal?.throwIfAborted();
    const minutes = (performance.now() - began) / 60_000;
    const left = done > 0 ? `, ${Math.ceil((minutes / done) * (runs.length - done))} min left` : "";
    const phase = round === 0 ? "warming up" : `round ${round} of ${rounds}`;
    say(`${benchmark}: ${phase}: ${way.label ?? `${way.way} ${inWords(way.settings)}`}${left} …`);
    const measured = await way.run();
    if (round === 0) continue;
    const result = { benchmark, round, way: way.way, settings: way.settings, measured, environment };
    appendResult(file, { ...result, at: new Date().toISOString() });
  }
  return readResults(file);
}

/** Settings in a line: "queue=quorum, size=100". */
export const inWords = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
