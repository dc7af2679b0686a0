import { list, number, readCommandLine, UsageError, whole } from "cli";
import { type FaultKind, kinds, usual } from "./faults.ts";
import { soak } from "./soak.ts";

const options = readCommandLine(
  process.argv.slice(2),
  {
    name: "pnpm soak",
    about: `Publishers and consumers run on the shared library while faults come at random, each as soon as all programs have
recovered from the one before. At the end it prints what became of every message, how long consumers were away, and
whether memory grew. Exit code 1: a message that was confirmed was neither received nor dead-lettered, or a program wasn't back
in time.`,
    options: {
      minutes: number("M", "How long faults come (5)"),
      faults: whole("How many at most"),
      seed: whole("The same number, as each run prints it, gives the same faults in the same order"),
      kinds: list("KINDS", "Only these, equally often, with commas between them"),
      within: number("S", "How soon all programs must be back after a fault, in seconds (10)"),
    },
    more: `Kinds, and how many of thirty faults are of each:
${Object.entries(kinds)
  .map(([kind, { name, cards }]) => `  ${kind.padEnd(11)}${String(cards).padStart(2)}  ${name}`)
  .join("\n")}

A theft loses a message, and comes only when it is asked for: see that it is found with --kinds theft --faults 1.
Ctrl-C ends it early, with the figures so far; a second one at once, without.
It never touches the broker at AMQP_URL: see pnpm broker --help for how it finds or starts its own.`,
  },
  ({ minutes, faults, seed, kinds: wanted, within = 10 }) => ({
    // As many faults as were asked for take as long as they take.
    minutes: minutes ?? (faults === undefined ? 5 : 10_000),
    faults: faults ?? Number.POSITIVE_INFINITY,
    seed: seed ?? Math.floor(Math.random() * 1e6),
    deck: wanted?.map(readFaultKind) ?? usual,
    within,
  }),
);
if (typeof options === "number") process.exit(options);

function readFaultKind(word: string): FaultKind {
  if (Object.hasOwn(kinds, word)) return word as FaultKind;
  throw new UsageError(`There is no kind of fault "${word}".`);
}

const interrupted = new AbortController();
const stop = (signal: NodeJS.Signals) => {
  // Programs and brokers end when this process does.
  if (interrupted.signal.aborted) process.exit(130);
  console.error(`${signal}: no more faults. To drop the figures press CTRL+C again`);
  interrupted.abort(signal);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

console.log(`Seed ${options.seed}: the same faults come again with --seed ${options.seed}.`);
try {
  const well = await soak(options, interrupted.signal);
  process.exitCode = !well ? 1 : interrupted.signal.aborted ? 130 : 0;
} catch (error) {
  if (interrupted.signal.aborted) process.exit(130);
  console.error((error as Error).message);
  process.exitCode = 1;
}
