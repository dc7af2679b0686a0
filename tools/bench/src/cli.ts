import { fileURLToPath } from "node:url";
import { all } from "./all.ts";
import { ArgumentError, readArguments } from "./arguments.ts";
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

try {
  const read = readArguments(process.argv.slice(2), benchmarks);
  if (read === "help") console.log(usage);
  else {
    const { benchmark, options } = read;
    const folder = `../../../results/bench/${options.quick ? "quick/" : ""}${benchmark.name}/`;
    const summary = await benchmark.run({
      ...options,
      folder: fileURLToPath(new URL(folder, import.meta.url)),
    });
    console.log(`\n${summary}`);
  }
} catch (error) {
  if (error instanceof ArgumentError) {
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  } else if (error instanceof Interrupted) {
    console.error("Stopped. The runs that are done are kept: --resume goes on from there.");
    process.exitCode = 130;
  } else if (error instanceof UserError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}
