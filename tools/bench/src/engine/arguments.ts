import { parseArgs } from "node:util";
import type { Benchmark, Options } from "./benchmark.ts";

/** What is wrong with the command line, in a sentence. */
export class ArgumentError extends Error {}

/**
 * Reads the command line.
 *
 * @param words The words after the script's name.
 * @param benchmarks Those that there are.
 * @returns Which are to run ("all" is each of them), and how; "help" when that is what is asked for.
 * @throws {ArgumentError} When it asks for what doesn't exist.
 */
export function readArguments(
  words: string[],
  benchmarks: Benchmark[],
): "help" | { chosen: Benchmark[]; options: Options } {
  const { values, positionals } = parse(words);
  if (values.help) return "help";
  const { quick, rounds, resume, "plot-only": plotOnly } = values;
  if (rounds !== undefined && !/^([1-9]\d{0,2}|1000)$/.test(rounds))
    throw new ArgumentError("--rounds takes a whole number from 1 to 1000.");
  if (plotOnly && (resume || rounds !== undefined))
    throw new ArgumentError("--plot-only measures nothing: it goes with neither --resume nor --rounds.");

  const [name, ...more] = positionals;
  const names = [...benchmarks.map(({ name }) => name), "all"].join(", ");
  if (name === undefined) throw new ArgumentError(`Which benchmark? There are: ${names}.`);
  const chosen = name === "all" ? benchmarks : benchmarks.filter((benchmark) => benchmark.name === name);
  if (chosen.length === 0)
    throw new ArgumentError(`There is no benchmark ${JSON.stringify(name)}. There are: ${names}.`);
  if (more.length > 0) throw new ArgumentError("One benchmark at a time, or all.");

  const extras = values.with.split(",").filter(Boolean);
  for (const extra of extras)
    if (!chosen.some((benchmark) => benchmark.extras?.includes(extra)))
      throw new ArgumentError(`${name} knows no ${JSON.stringify(extra)} to be measured with.`);
  return {
    chosen,
    options: {
      quick,
      rounds: rounds === undefined ? undefined : Number(rounds),
      resume,
      plotOnly,
      with: extras,
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        resume: { type: "boolean", default: false },
        with: { type: "string", default: "" },
        "plot-only": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new ArgumentError((error as Error).message);
  }
}
