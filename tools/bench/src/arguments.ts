import { parseArgs } from "node:util";
import type { Benchmark, Options } from "./benchmark.ts";

/** What is wrong with the command line, in a sentence. */
export class ArgumentError extends Error {}

/**
 * Reads the command line.
 *
 * @param words What stands behind the script's name.
 * @param benchmarks Those that there are.
 * @returns Which one is to run, and how; "help" when that is what is asked for.
 * @throws {ArgumentError} When it asks for what isn't there.
 */
export function readArguments(
  words: string[],
  benchmarks: Benchmark[],
): "help" | { benchmark: Benchmark; options: Omit<Options, "folder"> } {
  const { values, positionals } = parse(words);
  if (values.help) return "help";
  const { quick, rounds, resume, "plot-only": plotOnly } = values;
  if (rounds !== undefined && !/^([1-9]\d{0,2}|1000)$/.test(rounds))
    throw new ArgumentError("--rounds takes a whole number from 1 to 1000.");
  if (plotOnly && (resume || rounds !== undefined))
    throw new ArgumentError("--plot-only measures nothing: it goes with neither --resume nor --rounds.");

  const [name, ...more] = positionals;
  const names = benchmarks.map((benchmark) => benchmark.name).join(", ");
  if (name === undefined) throw new ArgumentError(`Which benchmark? There are: ${names}.`);
  const benchmark = benchmarks.find((benchmark) => benchmark.name === name);
  if (!benchmark)
    throw new ArgumentError(`There is no benchmark ${JSON.stringify(name)}. There are: ${names}.`);
  if (more.length > 0) throw new ArgumentError("One benchmark at a time.");

  const extras = values.with.split(",").filter(Boolean);
  for (const extra of extras)
    if (!benchmark.extras?.includes(extra))
      throw new ArgumentError(`${name} knows no ${JSON.stringify(extra)} to be measured with.`);
  return {
    benchmark,
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
