import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Benchmark, Interrupted } from "./benchmark.ts";
import { helper } from "./helper.ts";

const benchmarks: Benchmark[] = [helper];

const usage = `Measures what this project claims, on a RabbitMQ of its own or the one at AMQP_URL.

Usage:   pnpm bench <benchmark> [--quick] [--rounds N] [--resume] [--plot-only]
Example: pnpm bench helper

${benchmarks.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

  --quick      few and short rounds: does it run?
  --rounds N   how many rounds count, from 1 to 1000
  --resume     keeps the runs that are measured already, and goes on
  --plot-only  measures nothing, and draws the plots and the page from the results again
  --help       says this

Results, plots and page are written to results/bench/<benchmark>/, those of quick runs to results/bench/quick/.`;

function refuse(reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        resume: { type: "boolean", default: false },
        "plot-only": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const { values, positionals } = readArguments();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const { quick, rounds, resume, "plot-only": plotOnly } = values;
if (rounds !== undefined && !/^([1-9]\d{0,2}|1000)$/.test(rounds))
  refuse("--rounds takes a whole number from 1 to 1000.");
if (plotOnly && (resume || rounds !== undefined)) refuse("--plot-only measures nothing, so it stands alone.");
const [name, ...more] = positionals;
const names = benchmarks.map((benchmark) => benchmark.name).join(", ");
if (name === undefined) refuse(`Which benchmark? There are: ${names}.`);
const benchmark = benchmarks.find((benchmark) => benchmark.name === name);
if (!benchmark) refuse(`There is no benchmark ${JSON.stringify(name)}. There are: ${names}.`);
if (more.length > 0) refuse("One benchmark at a time.");

const folder = fileURLToPath(
  new URL(`../../../results/bench/${quick ? "quick/" : ""}${name}/`, import.meta.url),
);
try {
  const summary = await benchmark.run({
    quick,
    rounds: rounds === undefined ? undefined : Number(rounds),
    resume,
    plotOnly,
    folder,
  });
  console.log(`\n${summary}`);
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.error("Stopped. The runs that are done are kept: --resume goes on from there.");
  process.exitCode = 130;
}
