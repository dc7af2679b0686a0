import { type ParseArgsConfig, parseArgs } from "node:util";
import { text } from "../amqp/index.ts";
import { command } from "./repository.ts";

/** A script's arguments, and the way to refuse them. */
export interface Usage<Options extends NonNullable<ParseArgsConfig["options"]>> {
  /** The words after the script's name. */
  words: string[];
  /** The options that were given, by name, or their defaults. */
  options: ReturnType<typeof parseArgs<{ options: Options; strict: true }>>["values"];
  /** Prints on stderr what is wrong and what is right, then exits with code 2. */
  refuse: (reason: string) => never;
}

type HelpOption = { help: { type: "boolean" } };

/**
 * Reads a script's command line. `--help` prints the usage on stdout and exits with code 0. Arguments that the synopsis
 * doesn't allow print it on stderr and exit with code 2: an unknown option, too few or too many words, and a routing key
 * or a pattern of more than 255 bytes (a short string: AMQP 0-9-1, section 4.2.5.3). A negative number is a word, not
 * an option.
 *
 * @param synopsis The script's name and its arguments: `<word>` must be there, `[word]` may be left out, and `...` behind
 *   or in one allows any number of them. An example is `sub <pattern>...`.
 * @param example The same as someone would type it: `sub "kern.*" "*.critical"`.
 * @param options The options it takes, as Node's `util.parseArgs` describes them.
 * @returns The arguments, and `refuse` for those that only the script can judge.
 */
export function usage<const Options extends NonNullable<ParseArgsConfig["options"]> = Record<never, never>>(
  synopsis: string,
  example: string,
  options: Options = {} as Options,
): Usage<Options> {
  const lines = `Usage:   ${command(synopsis)}\nExample: ${command(example)}`;
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
    const words = positionals.map(unmark);
    const reason = misfit(synopsis, words);
    if (reason) refuse(reason);
    return { words, options: Object.fromEntries(unmarked), refuse };
  } catch (error) {
    // Node explains an unknown option in several sentences. The first one names it.
    return refuse(text(`${(error as Error).message.split(". ", 1)[0]}.`));
  }
}

/** What is wrong with a script's words, in a sentence, or `undefined`. */
export function misfit(synopsis: string, words: string[]): string | undefined {
  const [script] = synopsis.split(" ");
  const places = [...synopsis.matchAll(/[<[]([^\]>]+)[\]>](\.{3})?/g)]
    .map(([whole, inside = "", more]) => ({
      name: inside.replace(/\.{3}$/, ""),
      required: whole.startsWith("<"),
      repeated: more !== undefined || inside.endsWith("..."),
    }))
    .filter(({ name }) => !name.startsWith("-"));

  const most = places.some(({ repeated }) => repeated) ? Number.POSITIVE_INFINITY : places.length;
  if (words.length > most)
    return most === 0
      ? `${script} takes no arguments${synopsis.includes("[--") ? " but its options" : ""}.`
      : `${script} takes ${most} argument${most > 1 ? "s" : ""} at most.`;
  const missing = places.filter(({ required }) => required)[words.length];
  if (missing) return `${script} needs ${missing.repeated ? "at least one" : "a"} <${missing.name}>.`;
  const tooLong = words.findIndex(
    (word, index) =>
      shortStrings.has((places[index] ?? places.at(-1))?.name ?? "") && Buffer.byteLength(word) > 255,
  );
  return tooLong < 0 ? undefined : `A ${(places[tooLong] ?? places.at(-1))?.name} has at most 255 bytes.`;
}

/** What the protocol sends as a short string, by its name in a synopsis. */
const shortStrings = new Set(["routing key", "pattern", "severity"]);

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
