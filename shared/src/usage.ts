import { type ParseArgsConfig, parseArgs } from "node:util";

/** A script's arguments, and the way to turn them down. */
export interface Usage<Options extends NonNullable<ParseArgsConfig["options"]>> {
  /** The words after the script's name. */
  words: string[];
  /** The options that were given, by name, or their defaults. */
  options: ReturnType<typeof parseArgs<{ options: Options; strict: true }>>["values"];
  /** Says on stderr what is wrong and what is right, then exits with code 2. */
  refuse: (reason: string) => never;
}

type HelpOption = { help: { type: "boolean" } };

/**
 * Reads a script's command line. `--help` prints the usage on stdout and exits with code 0; an option that the
 * script doesn't know prints it on stderr and exits with code 2. A negative number is a word, not an option.
 *
 * @param synopsis The script's name and its arguments: `sub <pattern>...`
 * @param example The same as someone would type it: `sub "kern.*" "*.critical"`
 * @param options The options it takes, as Node's `util.parseArgs` describes them.
 * @returns The arguments, and `refuse` for those that are wrong.
 */
export function usage<const Options extends NonNullable<ParseArgsConfig["options"]> = Record<never, never>>(
  synopsis: string,
  example: string,
  options: Options = {} as Options,
): Usage<Options> {
  // pnpm tells a script which package it belongs to. Without pnpm, the script's name has to do.
  const prefix = process.env.npm_package_name ? `pnpm --filter ${process.env.npm_package_name} ` : "";
  const lines = `Usage:   ${prefix}${synopsis}\nExample: ${prefix}${example}`;
  const refuse = (reason: string): never => {
    console.error(`${reason}\n${lines}`);
    process.exit(2);
  };
  try {
    const { values, positionals } = parseArgs({
      args: process.argv.slice(2).map((word) => word.replace(negative, mark)),
      options: { ...options, help: { type: "boolean", short: "h" } } as Options & HelpOption,
      allowPositionals: true,
    });
    if ("help" in values) {
      console.log(lines);
      process.exit(0);
    }
    const unmarked = Object.entries(values).map(([name, value]) => [name, unmark(value)]);
    return { words: positionals.map(unmark), options: Object.fromEntries(unmarked), refuse };
  } catch (error) {
    // Node explains an unknown option in several sentences. The first one names it.
    return refuse(`${(error as Error).message.split(". ", 1)[0]}.`);
  }
}

/** Node's parser takes -1 for an option. With a character before it that no command line can hold, it is a word. */
const negative = /^(?=-\d)/;
const mark = "\0";
const unmark = <Value>(value: Value) =>
  (typeof value === "string" ? value.replace(mark, "") : value) as Value;

/**
 * Reads a whole number from a command line.
 *
 * @param word What was typed.
 * @param least The smallest number that will do.
 * @returns The number, or `undefined` where the word is none, is too small, or is too large to be exact.
 */
export function integer(word: string, least = 0): number | undefined {
  const number = /^-?\d+$/.test(word) ? Number(word) : Number.NaN;
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}
