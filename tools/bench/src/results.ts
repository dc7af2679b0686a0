import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "./benchmark.ts";
import type { Environment } from "./machine.ts";
import type { Progress } from "./progress.ts";

export { type Environment, environment } from "./machine.ts";

/** All that could have been otherwise: sizes in bytes, counts in messages, times in ms. */
export type Settings = Record<string, string | number | boolean>;

/** Figures by name, in the unit that the benchmark's page says. */
export type Measured = Record<string, number>;

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

/** Results as JSON lines, each written when it has been measured: what ends the program loses no more than one run. */
export class ResultFile {
  readonly path: string;
  #results: Result[] | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns All results. A last line that was cut in the middle is removed; a file that isn't there has none.
   * @throws When another line isn't JSON.
   */
  read(): Result[] {
    this.#results ??= readLines(this.path);
    return [...this.#results];
  }

  append(result: Result): void {
    this.#results = [...this.read(), result];
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, `${JSON.stringify(result)}\n`);
  }

  /** Whether this run has been measured, with just these settings. */
  has(benchmark: string, round: number, way: string, settings: Settings): boolean {
    return this.read().some(
      (result) =>
        result.benchmark === benchmark &&
        result.round === round &&
        result.way === way &&
        isDeepStrictEqual(result.settings, settings),
    );
  }

  /** Forgets all. */
  clear(): void {
    rmSync(this.path, { force: true });
    this.#results = [];
  }
}

function readLines(path: string): Result[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  // What follows the last line feed was cut in the middle, or is nothing. The next result must not follow it.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole !== text) writeFileSync(path, whole);
  return whole
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** One of the ways that are compared. */
export interface Way {
  way: string;
  settings: Settings;
  /** What the progress calls it. By default its name and its settings. */
  label?: string;
  /** How much a run does, in the unit in which `run` calls `progress.update`: messages, calls. */
  total: number;
  /** Does the work once. What it has started has ended when it settles. */
  run(progress: Progress): Promise<Measured>;
}

export interface InterleaveOptions {
  benchmark: string;
  /** How many rounds count. */
  rounds: number;
  file: ResultFile;
  /** Keeps what the file has and measures the rest; otherwise the file starts anew. */
  resume: boolean;
  /** Leaves out the round that doesn't count. */
  quick?: boolean;
  progress: Progress;
  environment: Environment;
  /** Stops before the next run. It is the run's own matter to stop in the middle. */
  signal?: AbortSignal;
}

/**
 * Measures all ways in turns, since the speed of a machine drifts: each round starts with another way, after a first
 * round that doesn't count.
 *
 * @param ways What is compared.
 * @returns All results of the file.
 * @throws When a way fails, the signal says so, or the file to go on with is of another machine or other versions.
 */
export async function interleave(ways: Way[], options: InterleaveOptions): Promise<Result[]> {
  const { benchmark, rounds, file, resume, quick = false, progress, environment, signal } = options;
  if (!resume) file.clear();
  if (file.read().some((result) => !isDeepStrictEqual(result.environment, environment)))
    throw new UserError(
      `${file.path} was measured on another machine or with other versions. Start anew, without --resume.`,
    );
  const runs: { round: number; way: Way }[] = [];
  for (let round = quick ? 1 : 0; round <= rounds; round++) {
    for (let n = 0; n < ways.length; n++) {
      const way = ways[(round + n) % ways.length];
      if (way && !file.has(benchmark, round, way.way, way.settings)) runs.push({ round, way });
    }
  }
  // The file is complete: nothing to warm up for.
  if (runs.every(({ round }) => round === 0)) return file.read();

  const began = performance.now();
  for (const [done, { round, way }] of runs.entries()) {
    signal?.throwIfAborted();
    // s
    const spent = (performance.now() - began) / 1000;
    const left = done > 0 ? (spent / done) * (runs.length - done) : undefined;
    const label = round === 0 ? "warming up" : `round ${round} of ${rounds}`;
    progress.start(
      `${benchmark}: ${label}: ${way.label ?? [way.way, inWords(way.settings)].join(" ").trim()}`,
      way.total,
      left,
    );
    const measured = await way.run(progress);
    progress.done("");
    if (round > 0)
      file.append({
        benchmark,
        round,
        way: way.way,
        settings: way.settings,
        measured,
        environment,
        at: new Date().toISOString(),
      });
  }
  return file.read();
}

/** Settings in a line: "queue=quorum, size=100". */
export const inWords = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
