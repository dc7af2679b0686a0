import { constants } from "node:os";
import { join } from "node:path";
import { startBroker } from "broker";
import { flag, progress, readCommandLine, UsageError, list as words } from "cli";
import { type Group, type Keyboard, readCatalogue, readReadme } from "stage";
import { readBookmark, removeBookmark, writeBookmark } from "./bookmark.ts";
import { farewell } from "./farewell.ts";
import { Reader } from "./reader.ts";
import { type Output, Screen } from "./screen.ts";
import { type Page, type Place, playPages } from "./tour.ts";

/** The chapters that a tour plays unless it is told otherwise. */
const FIRST_CHAPTERS = 2;

/** Where the tour's reader sits: `process` has these. */
export interface Seat {
  stdin: Keyboard & { isTTY: boolean };
  stdout: Output & Pick<NodeJS.WriteStream, "on">;
}

/**
 * The tour's command line.
 *
 * @param args What follows `pnpm tour`.
 * @param root The repository's root.
 * @param seat Where it shows itself, and takes keys when both are a terminal.
 * @returns The exit code: 0 when all went as the pages say or the reader left, 1 when something didn't or there is no
 *   broker, 2 for arguments that make no sense, and 128 and the signal's number when a signal ended it.
 */
export async function main(args: string[], root: string, seat: Seat = process): Promise<number> {
  const stopping = new AbortController();
  // Nobody reads on: `pnpm tour | head`.
  seat.stdout.on("error", () => stopping.abort("SIGPIPE"));
  try {
    const groups = readCatalogue(join(root, "README.md"));
    const choice = parse(args, groups, root);
    if (typeof choice === "number") return choice;
    if (choice.list) {
      list(groups);
      return 0;
    }
    // All are read before anything starts, so that a mistake in the last shows at once.
    const pages = choice.patterns.map(({ name, group }) => ({
      name,
      group,
      readme: readReadme(join(root, "examples", name, "README.md")),
    }));
    return await tour(pages, choice.from, { root, seat, stopping, others: count(groups) - pages.length });
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

interface Choice {
  /** Lists the chapters, and plays nothing. */
  list?: boolean;
  patterns: { name: string; group: Group }[];
  from?: Place;
}

function parse(args: string[], groups: Group[], root: string): Choice | number {
  return readCommandLine<typeof options, Choice>(
    args,
    {
      name: "pnpm tour",
      words: "[pattern...]",
      about: `Plays the pages of the first two chapters, or of the patterns named, on a real RabbitMQ: opens their terminals, shows what
they print, and compares it with the page. Without a terminal it plays by itself. On a terminal it waits before each step:

  Enter  goes on
  n      goes to the next pattern
  b      goes back one step; as a broker can't be rewound, the pattern plays again up to there
  s      shows the script that is about to run
  a      plays on without stopping
  q      quits`,
      options,
      more: `Examples:
  pnpm tour topics rpc
  pnpm tour --group 3

How it finds or starts its RabbitMQ: pnpm broker --help
NO_COLOR and FORCE_COLOR work as everywhere.`,
    },
    (values, names) => {
      if (values.list) return { patterns: [], list: true };
      const all = groups.flatMap((group) => group.patterns.map(({ name }) => ({ name, group })));
      const chosen = [
        ...(values.all ? all : []),
        ...(values.group ?? []).flatMap((word) => {
          const found = all.filter(
            ({ group }) => String(group.number) === word || group.name.toLowerCase() === word.toLowerCase(),
          );
          return found.length > 0 ? found : refuse("chapter", word);
        }),
        ...names.map((name) => all.find((pattern) => pattern.name === name) ?? refuse("pattern", name)),
      ];
      if (values.continue) {
        if (chosen.length > 0)
          throw new UsageError("--continue plays what the last tour played, and nothing else.");
        return resume(all, root);
      }
      if (chosen.length > 0) return { patterns: [...new Set(chosen)] };
      return { patterns: all.filter(({ group }) => group.number <= FIRST_CHAPTERS) };
    },
  );
}

const options = {
  all: flag("Plays all chapters"),
  group: words("CHAPTER", "Plays a chapter, by its number or its name"),
  continue: flag("Goes on where the last tour on a terminal was left, which .tour.json says"),
  list: flag("Lists the chapters and their patterns"),
};

function refuse(what: string, name: string): never {
  throw new UsageError(`There is no ${what} "${name}". \`pnpm tour --list\` says which there are.`);
}

function resume(all: Choice["patterns"], root: string): Choice {
  const bookmark = readBookmark(root);
  // A pattern may have gone since.
  const patterns = all.filter(({ name }) => bookmark?.patterns.includes(name));
  const page = patterns.findIndex(({ name }) => name === bookmark?.pattern);
  if (!bookmark || page < 0) throw new UsageError("No tour was left before its end.");
  return { patterns, from: { page, step: bookmark.step } };
}

function list(groups: Group[]): void {
  const width = Math.max(...groups.flatMap(({ patterns }) => patterns.map(({ name }) => name.length)));
  for (const { number, name, patterns } of groups) {
    console.log(`${number}. ${name}`);
    for (const { name, use } of patterns) console.log(`  ${name.padEnd(width)}  ${use}`);
  }
}

const count = (groups: Group[]): number => groups.flatMap(({ patterns }) => patterns).length;

interface Surroundings {
  root: string;
  seat: Seat;
  stopping: AbortController;
  /** How many patterns there are that it doesn't play. */
  others: number;
}

async function tour(
  pages: Page[],
  from: Place | undefined,
  { root, seat, stopping, others }: Surroundings,
): Promise<number> {
  const { signal } = stopping;
  // A second signal doesn't wait. What then is left is ended by those who keep an eye on this process.
  const stop = (reason: NodeJS.Signals) =>
    signal.aborted ? process.exit(exitCode(reason)) : stopping.abort(reason);
  for (const name of signals) process.on(name, stop);

  const { say, end } = progress();
  let reader: Reader | undefined;
  try {
    const broker = await startBroker({ say, signal });
    try {
      const screen = new Screen(seat.stdout);
      if (seat.stdin.isTTY && screen.isTerminal)
        reader = new Reader({
          keyboard: seat.stdin,
          screen,
          signal,
          end: (reason) => (reason === "quit" ? stopping.abort(reason) : stop(reason)),
        });
      const patterns = pages.map(({ name }) => name);
      const reached = ({ page, step }: Place) =>
        writeBookmark(root, { patterns, pattern: patterns[page] as string, step });
      const outcome = await playPages(pages, { root, broker, screen, reader, from, signal, reached });
      if (reader) removeBookmark(root);
      farewell(outcome, others, screen);
      return outcome.wrong > 0 ? 1 : 0;
    } finally {
      reader?.close();
      await broker.stop();
    }
  } catch (error) {
    if (signal.reason === "quit") {
      // Where the shell doesn't find pnpm, npm does.
      const command = process.env.TOUR_PNPM_HINT ? "npm start -- --continue" : "pnpm tour --continue";
      seat.stdout.write(`\nThe tour goes on here: ${command}\n`);
      return 0;
    }
    if (signal.aborted) return exitCode(signal.reason);
    throw error;
  } finally {
    end();
    for (const name of signals) process.off(name, stop);
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const exitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
