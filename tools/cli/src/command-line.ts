import { cac } from "cac";
import { text } from "shared";
import type { Option } from "./options.ts";
import { UsageError } from "./usage-error.ts";

export { UsageError };

/** What a command takes, and what its help says about it. */
interface Command<Options> {
  /** What a user types, without options: `pnpm look`. */
  name: string;
  /** The words that it takes, as the usage shows them: `<pattern> [folder]`. Without them it takes none. */
  words?: string;
  /** What it does. Stands below the usage in the help. */
  about: string;
  /** By their names in camel case: `managementPort` is typed as `--management-port`. */
  options: Options;
  /** What else the help says, at its end. */
  more?: string;
}

type Values<Options> = {
  [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never;
};

/** cac makes a number of what looks like one, and a virtual host may be named 007. A value with this is none. */
const MARK = "\0";

/**
 * Reads a command line. `--help` prints the help on stdout. What makes no sense is answered on stderr, with the usage.
 *
 * @param args What was typed after the command.
 * @param command What it takes.
 * @param check Makes of the values and the words what the caller needs. It throws `UsageError` for what makes no sense.
 * @returns What `check` returned; or the exit code, when there is nothing left to do: 0 after the help, 2 after a
 *   refusal.
 */
export function readCommandLine<Options extends Record<string, Option<unknown>>, Read extends object>(
  args: string[],
  command: Command<Options>,
  check: (values: Values<Options>, words: string[]) => Read,
): Read | number {
  const { name, words: expected = "", about, options, more } = command;
  const usage = usageOf(command);
  const cli = cac(name);
  for (const [key, { placeholder, about }] of Object.entries(options))
    cli.option(placeholder === undefined ? typed(key) : `${typed(key)} <${placeholder}>`, about);
  cli.help((sections) => [
    { body: usage },
    { body: about },
    ...sections
      .filter(({ title }) => title === "Options")
      .map(({ title = "", body }) => ({ title, body: body.replaceAll(/ +$/gm, "") })),
    ...(more === undefined ? [] : [{ body: more }]),
  ]);
  try {
    const read = cli.parse(["", "", ...args.map(marked)], { run: false });
    if (read.options.help) return 0;
    cli.globalCommand.checkUnknownOptions();
    cli.globalCommand.checkOptionValue();
    const words = [...read.args, ...read.options["--"]].map((word) => String(word).replace(MARK, ""));
    if (expected === "" && words.length > 0)
      throw new UsageError(`Nothing is expected where "${words[0]}" stands.`);
    const values = Object.entries(options).map(([key, { repeats, read: readValues }]) => {
      const given = [read.options[key] ?? []].flat().filter((value) => value !== false);
      if (given.length > 1 && !repeats) throw new UsageError(`${typed(key)} is given twice.`);
      return [
        key,
        readValues(
          given.map((value) => String(value).replace(MARK, "")),
          typed(key),
        ),
      ];
    });
    return check(Object.fromEntries(values), words);
  } catch (error) {
    if (!(error instanceof UsageError || (error as Error).name === "CACError")) throw error;
    console.error(`${text((error as Error).message)}\n${usage}`);
    return 2;
  }
}

function usageOf({ name, words = "", options }: Command<Record<string, Option<unknown>>>): string {
  const shown = Object.entries(options).map(([key, { placeholder, repeats }]) => {
    const value = placeholder === undefined ? "" : ` ${placeholder}`;
    return `[${typed(key)}${value}]${repeats ? "..." : ""}`;
  });
  return `Usage: ${[name, words, ...shown, "[--help]"].filter(Boolean).join(" ")}`;
}

const typed = (key: string): string =>
  `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** A word as it is given to cac: an option's name as it is, and what may be a value with the mark. */
function marked(word: string): string {
  if (!word.startsWith("-")) return `${MARK}${word}`;
  return word.replace(/^(--?[^=]+=)/, `$1${MARK}`);
}
