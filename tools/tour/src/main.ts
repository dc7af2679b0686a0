import { constants } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { progress, startBroker } from "broker";
import { type Group, readCatalogue, readReadme } from "stage";
import { Screen } from "./screen.ts";
import { type Page, playPages } from "./tour.ts";

const usage = "Usage: pnpm tour [pattern...] [--group chapter]... [--list] [--help]";

const help = `${usage}

Plays the pages of all patterns, or of those named, or of a chapter, on a real RabbitMQ: opens their terminals, shows what they print,
and compares it with the page.

  --group  plays the patterns of a chapter: --group 1, or --group basics
  --list   says which chapters and patterns there are
  --help   says this

How it finds or starts its RabbitMQ: pnpm broker --help
NO_COLOR and FORCE_COLOR do what they say.`;

/**
 * The tour's command line.
 *
 * @param args What follows `pnpm tour`.
 * @param root The repository's root.
 * @returns The exit code: 0 when all went as the pages say, 1 when something didn't or there is no broker, 2 for
 *   arguments that make no sense, and 128 and the signal's number when a signal ended it.
 */
export async function main(args: string[], root: string): Promise<number> {
  const stopping = new AbortController();
  // Nobody reads on: `pnpm tour | head`.
  process.stdout.on("error", () => stopping.abort("SIGPIPE"));
  try {
    const groups = readCatalogue(join(root, "README.md"));
    const options = parse(args, groups);
    if (options.help) console.log(help);
    else if (options.list) list(groups);
    else {
      // All are read before anything starts, so that a mistake in the last shows at once.
      const pages = options.patterns.map(({ name, group }) => ({
        group,
        readme: readReadme(join(root, "examples", name, "README.md")),
      }));
      return await tour(pages, root, stopping);
    }
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return error instanceof UsageError ? 2 : 1;
  }
}

class UsageError extends Error {
  constructor(reason: string) {
    super(`${reason}\n${usage}`);
  }
}

function parse(args: string[], groups: Group[]) {
  const options = {
    group: { type: "string", multiple: true, default: [] as string[] },
    list: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const all = groups.flatMap((group) => group.patterns.map(({ name }) => ({ name, group })));
  const chosen = [
    ...parsed.values.group.flatMap((word) => {
      const found = all.filter(
        ({ group }) => String(group.number) === word || group.name.toLowerCase() === word.toLowerCase(),
      );
      return found.length > 0 ? found : refuse("chapter", word);
    }),
    ...parsed.positionals.map(
      (name) => all.find((pattern) => pattern.name === name) ?? refuse("pattern", name),
    ),
  ];
  return { ...parsed.values, patterns: chosen.length > 0 ? [...new Set(chosen)] : all };
}

function refuse(what: string, name: string): never {
  throw new UsageError(`There is no ${what} "${name}". \`pnpm tour --list\` says which there are.`);
}

function list(groups: Group[]): void {
  const width = Math.max(...groups.flatMap(({ patterns }) => patterns.map(({ name }) => name.length)));
  for (const { number, name, patterns } of groups) {
    console.log(`${number}. ${name}`);
    for (const { name, use } of patterns) console.log(`  ${name.padEnd(width)}  ${use}`);
  }
}

async function tour(pages: Page[], root: string, stopping: AbortController): Promise<number> {
  // A second signal doesn't wait. What then is left is ended by those who keep an eye on this process.
  const stop = (signal: NodeJS.Signals) =>
    stopping.signal.aborted ? process.exit(exitCode(signal)) : stopping.abort(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

  const { say, end } = progress();
  try {
    const broker = await startBroker({ say, signal: stopping.signal });
    try {
      const screen = new Screen(process.stdout);
      const wrong = await playPages(pages, { root, broker, screen, signal: stopping.signal });
      return wrong > 0 ? 1 : 0;
    } finally {
      await broker.stop();
    }
  } catch (error) {
    if (stopping.signal.aborted) return exitCode(stopping.signal.reason);
    throw error;
  } finally {
    end();
  }
}

const exitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
