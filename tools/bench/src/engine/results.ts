import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Results as JSON lines, each written when it has been measured: what ends the program loses one run at most. */
export class ResultFile {
  readonly path: string;
  #results: Result[] | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns All results. A last line that was cut in the middle is removed; a file that doesn't exist has none.
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

  /** Removes all. */
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
  // What follows the last line feed was cut in the middle, or is empty. The next result must not follow it.
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
  /** Does the work once. What it has started has ended when it settles. */
  run(): Promise<Measured>;
}

export interface InterleaveOptions {
  benchmark: string;
  /** How many rounds count. */
  rounds: number;
  file: ResultFile;
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
 * @throws When a way fails, the signal says so, or the file to go on with is of another machine or other versions.
 */
export async function interleave(ways: Way[], options: InterleaveOptions): Promise<Result[]> {
  const { benchmark, rounds, file, resume, quick = false, say, environment, signal } = options;
  if (!resume) file.clear();
  const kept = file.read();
  if (kept.some((result) => !isDeepStrictEqual(result.environment, environment)))
    throw new UserError(
      `${file.path} was measured on another machine or with other versions. Run it without --resume.`,
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
    const at = new Date().toISOString();
    file.append({ benchmark, round, way: way.way, settings: way.settings, measured, environment, at });
  }
  return file.read();
}

/** Settings in a line: "queue=quorum, size=100". */
export const inWords = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
