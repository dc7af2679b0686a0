import { constants } from "node:os";
import { type Broker, startBroker } from "broker";
import { cac } from "cac";
import { progress } from "cli";
import { distance } from "fastest-levenshtein";
import { text } from "shared";
import { type Found, findExercises, readTask } from "./catalogue.ts";
import { check } from "./check.ts";
import type { Exercise } from "./define.ts";
import { Desk } from "./desk.ts";
import { Screen } from "./screen.ts";
import { count } from "./view.ts";
import { watch } from "./watch.ts";

const USAGE = "Usage: pnpm exercise [exercise] [--check] [--list] [--reset <exercise>] [--help]";

/** What was typed makes no sense. */
class Refusal extends Error {}

/**
 * The command line of `pnpm exercise`.
 *
 * @param argv The process's arguments, from Node's own on.
 * @param root The repository's folder.
 * @returns The exit code: 0 when all that was checked is solved, or when the learner has ended it; 1 when something isn't
 *   solved or there is no broker; 2 for arguments that make no sense; 128 and the signal's number after a signal.
 */
export async function main(argv: string[], root: string): Promise<number> {
  const stopping = new AbortController();
  try {
    const exercises = findExercises(root);
    const command = parse(argv, exercises);
    const desk = new Desk(root);
    const screen = new Screen(process.stdout);
    switch (command.do) {
      case "nothing":
        return 0;
      case "list":
        list(exercises, desk, screen);
        return 0;
      case "reset": {
        const kept = desk.reset(command.exercise);
        console.log(
          `${command.exercise.id} begins again.${kept ? ` What you wrote is in ${kept} now.` : ""}`,
        );
        return 0;
      }
      case "check":
        return await checkAll(command.exercises, { root, desk, screen, stopping });
      case "play": {
        const exercise = command.exercise ?? exercises.find((it) => !desk.isSolved(it));
        if (!exercise) {
          console.log(
            `All ${exercises.length} exercises are solved. \`pnpm exercise --list\` shows their names.`,
          );
          return 0;
        }
        if (!process.stdin.isTTY || !process.stdout.isTTY)
          return await checkAll([exercise], { root, desk, screen, stopping, begin: true });
        await withBroker(stopping, (broker) =>
          watch({
            root,
            broker,
            exercises,
            exercise,
            desk,
            screen,
            keyboard: process.stdin,
            signal: stopping.signal,
          }),
        );
        console.log(count(exercises, desk));
        return 0;
      }
    }
  } catch (error) {
    if (stopping.signal.aborted) return 128 + constants.signals[stopping.signal.reason as NodeJS.Signals];
    console.error((error as Error).message);
    return error instanceof Refusal ? 2 : 1;
  }
}

type Command =
  | { do: "nothing" | "list" }
  | { do: "play"; exercise: Found | undefined }
  | { do: "check"; exercises: Found[] }
  | { do: "reset"; exercise: Found };

function parse(argv: string[], exercises: Found[]): Command {
  const cli = cac("pnpm exercise")
    .usage("[exercise] [options]")
    .option("--check", "checks all of your copies, or those named, and counts what is solved")
    .option("--list", "shows all exercises, and what is solved")
    .option("--reset <exercise>", "begins an exercise again; what you wrote is kept beside it")
    .example("pnpm exercise topics-2")
    .help((sections) => [
      {
        body:
          "Programs with something missing or wrong, for you to put right. Begins with the first that isn't solved, and\n" +
          "checks your answer on a real RabbitMQ each time you save it. Without a terminal it checks once.",
      },
      ...sections.slice(1),
      { body: "How it finds or starts its RabbitMQ: pnpm broker --help" },
    ]);
  const { options, args } = cli.parse(argv);
  if (options.help) return { do: "nothing" };
  try {
    cli.globalCommand.checkUnknownOptions();
    cli.globalCommand.checkOptionValue();
  } catch (error) {
    throw new Refusal(`${text((error as Error).message)}\n${USAGE}`);
  }
  const named = args.map((name) => find(name, exercises));
  if (options.list) return { do: "list" };
  if (options.reset !== undefined) return { do: "reset", exercise: find(String(options.reset), exercises) };
  if (options.check) return { do: "check", exercises: named.length > 0 ? named : exercises };
  if (named.length > 1) throw new Refusal(`One exercise at a time.\n${USAGE}`);
  return { do: "play", exercise: named[0] };
}

function find(name: string, exercises: Found[]): Found {
  const found = exercises.find(({ id, number }) => id === name || number === name);
  if (found) return found;
  const [nearest] = exercises.toSorted((a, b) => distance(name, a.id) - distance(name, b.id));
  throw new Refusal(
    `There is no exercise "${text(name)}". Did you mean ${nearest?.id}? \`pnpm exercise --list\` shows them all.`,
  );
}

function list(exercises: Found[], desk: Desk, screen: Screen): void {
  const width = Math.max(...exercises.map(({ id }) => id.length));
  let chapter = "";
  for (const exercise of exercises) {
    if (exercise.chapter !== chapter) screen.print([screen.style("bold", exercise.chapter)]);
    chapter = exercise.chapter;
    const mark = desk.isSolved(exercise) ? screen.style("green", "✓") : " ";
    screen.print([
      `${mark} ${exercise.number.padEnd(4)}  ${exercise.id.padEnd(width)}  ${readTask(exercise.folder).title}`,
    ]);
  }
  screen.print([count(exercises, desk)]);
}

interface Checking {
  root: string;
  desk: Desk;
  screen: Screen;
  stopping: AbortController;
  /** Whether copies are made of what has not been begun. */
  begin?: boolean;
}

/** Checks the learner's copies one after the other. */
async function checkAll(
  exercises: Found[],
  { root, desk, screen, stopping, begin }: Checking,
): Promise<number> {
  const loaded: { found: Found; exercise: Exercise }[] = [];
  for (const found of exercises) {
    const exercise = await found.load();
    if (begin && desk.begin(found, exercise) === "new")
      screen.print([
        `Your copy to change: ${exercise.files.map((file) => desk.path(found, file)).join(", ")}`,
      ]);
    loaded.push({ found, exercise });
  }
  const width = Math.max(...exercises.map(({ id }) => id.length));
  let solved = 0;
  const say = (mark: string, { number, id }: Found, words: string) =>
    screen.print([`${mark} ${number.padEnd(4)}  ${id.padEnd(width)}  ${words}`.trimEnd()]);
  const checkEach = async (broker?: Broker) => {
    for (const { found, exercise } of loaded) {
      if (!broker || !desk.hasBegun(found)) {
        say("·", found, "not begun");
        continue;
      }
      const { signal } = stopping;
      const verdict = await check(exercise, { root, folder: desk.folder(found), broker, signal });
      if (verdict.passed) {
        solved++;
        desk.solve(found);
        say(screen.style("green", "✓"), found, readTask(found.folder).title);
      } else say(screen.style("red", "✗"), found, text(verdict.miss));
    }
  };
  await (exercises.some(desk.hasBegun) ? withBroker(stopping, checkEach) : checkEach());
  if (exercises.length > 1) screen.print([`${solved} of ${exercises.length} solved`]);
  return solved === exercises.length ? 0 : 1;
}

/** Finds or starts a broker, which ends when the work is done or a signal comes. */
async function withBroker<Result>(
  stopping: AbortController,
  work: (broker: Broker) => Promise<Result>,
): Promise<Result> {
  // A second signal doesn't wait. What is then left ends with this process.
  const stop = (signal: NodeJS.Signals) =>
    stopping.signal.aborted ? process.exit(128 + constants.signals[signal]) : stopping.abort(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  const { say, end } = progress();
  try {
    const broker = await startBroker({ say, signal: stopping.signal });
    end();
    try {
      return await work(broker);
    } finally {
      await broker.stop();
    }
  } finally {
    end();
    for (const signal of signals) process.off(signal, stop);
  }
}
