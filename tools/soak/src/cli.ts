import { parseArgs } from "node:util";
import { type Kind, kinds, usual } from "./faults.ts";
import { soak } from "./soak.ts";

const usage =
  "Usage: pnpm soak [--minutes 5] [--faults N] [--seed S] [--kinds kind,kind…] [--within 10] [--help]";

const help = `${usage}

Publishers and consumers run on the shared library while faults come at random, each as soon as all programs have
recovered from the one before. At the end it prints what became of every message, how long consumers were away, and
whether memory grew. Exit code 1: a message that was confirmed was neither received nor dead-lettered, or a program wasn't back
in time.

  --minutes  how long faults come (5)
  --faults   how many at most
  --seed     the same number, as each run prints it, gives the same faults in the same order
  --kinds    only these, equally often
  --within   how soon all programs must be back after a fault, in seconds (10)
  --help     prints this

Kinds, and how many of thirty faults are of each:
${Object.entries(kinds)
  .map(([kind, { name, cards }]) => `  ${kind.padEnd(11)}${String(cards).padStart(2)}  ${name}`)
  .join("\n")}

A theft loses a message, and comes only when it is asked for: see that it is found with --kinds theft --faults 1.
Ctrl-C ends it early, with the figures so far; a second one at once, without.
It never touches the broker at AMQP_URL: see pnpm broker --help for how it finds or starts its own.`;

function refuse(reason: string): never {
  console.error(`${reason}\n${usage}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        minutes: { type: "string" },
        faults: { type: "string" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
        kinds: { type: "string" },
        within: { type: "string", default: "10" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function whole(name: string, word: string): number {
  return /^\d{1,9}$/.test(word) ? Number(word) : refuse(`--${name} takes a whole number, not "${word}".`);
}

function positive(name: string, word: string): number {
  const number = /^\d{1,5}(\.\d+)?$/.test(word) ? Number(word) : 0;
  return number > 0 ? number : refuse(`--${name} takes a number above 0, not "${word}".`);
}

function readKind(word: string): Kind {
  return Object.hasOwn(kinds, word) ? (word as Kind) : refuse(`There is no kind of fault "${word}".`);
}

const values = readArguments();
if (values.help) {
  console.log(help);
  process.exit(0);
}
const options = {
  // As many faults as were asked for take as long as they take.
  minutes: positive("minutes", values.minutes ?? (values.faults === undefined ? "5" : "10000")),
  faults: values.faults === undefined ? Number.POSITIVE_INFINITY : whole("faults", values.faults),
  seed: whole("seed", values.seed),
  deck: values.kinds?.split(",").map(readKind) ?? usual,
  within: positive("within", values.within),
};

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
