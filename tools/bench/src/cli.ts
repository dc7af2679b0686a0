import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { all } from "./all.ts";
import { type Benchmark, Interrupted, UserError } from "./benchmark.ts";
import { clients } from "./clients.ts";
import { confirms } from "./confirms/confirms.ts";
import { helper } from "./helper.ts";
import { prefetch } from "./prefetch/prefetch.ts";
import { roundRobin } from "./round-robin/round-robin.ts";
import { rpc } from "./rpc/rpc.ts";

const each: Benchmark[] = [roundRobin, confirms, prefetch, rpc, clients, helper];
const benchmarks = [...each, all(each)];

const usage = `Measures what this project claims, on a RabbitMQ of its own or the one at AMQP_URL.

Usage:   pnpm bench <benchmark> [--quick] [--rounds N] [--resume] [--plot-only] [--with NAME,…]
Example: pnpm bench helper

${benchmarks.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

  --quick      few and short rounds: does it run?
  --rounds N   how many rounds count, from 1 to 1000
  --resume     keeps the runs that are measured already, and goes on
  --with NAMES measures these, too: ${benchmarks.flatMap(({ name, extras = [] }) => extras.map((extra) => `${extra} (${name})`)).join(", ")}
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
        with: { type: "string", default: "" },
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

const extras = values.with.split(",").filter(Boolean);
for (const extra of extras)
  if (!benchmark.extras?.includes(extra))
    refuse(`${name} knows no ${JSON.stringify(extra)} to be measured with.`);

const folder = fileURLToPath(
  new URL(`../../../results/bench/${quick ? "quick/" : ""}${name}/`, import.meta.url),
);
try {
  const summary = await benchmark.run({
    quick,
    rounds: rounds === undefined ? undefined : Number(rounds),
    resume,
    plotOnly,
    with: extras,
    folder,
  });
  console.log(`\n${summary}`);
} catch (error) {
  if (error instanceof Interrupted) {
    console.error("Stopped. The runs that are done are kept: --resume goes on from there.");
    process.exitCode = 130;
  } else if (error instanceof UserError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}
