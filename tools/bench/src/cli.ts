import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { confirms } from "./benchmarks/confirms.ts";
import { helper } from "./benchmarks/helper.ts";
import { live } from "./benchmarks/live.ts";
import { prefetch } from "./benchmarks/prefetch.ts";
import { roundRobin } from "./benchmarks/round-robin.ts";
import { rpc } from "./benchmarks/rpc.ts";
import { ArgumentError, readArguments } from "./engine/arguments.ts";
import { type Benchmark, type Options, runBenchmark } from "./engine/benchmark.ts";
import { Interrupted, type Session, UserError, withSession } from "./engine/session.ts";

const benchmarks = [roundRobin, confirms, prefetch, rpc, helper, live];
const extras = benchmarks.flatMap(({ name, extras = [] }) => extras.map((extra) => `${extra} (${name})`));

const usage = `Measures what this project claims, on a RabbitMQ of its own or the one at AMQP_URL.

Usage:   pnpm bench <benchmark> [--quick] [--rounds N] [--resume] [--plot-only] [--with NAME,…]
Example: pnpm bench confirms

${benchmarks.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}
  all          each of them

  --quick      few and short rounds: does it run?
  --rounds N   how many rounds count, from 1 to 1000
  --resume     keeps the runs that are measured already, and goes on
  --with NAMES measures these as well: ${extras.join(", ")}
  --plot-only  measures nothing, and writes the report from the results again
  --help       prints this

The results and the report are written to results/bench/<benchmark>/, those of quick runs to results/bench/quick/.`;

/** Runs benchmarks one after another, prints what each has found, and goes on when one fails. */
async function run(chosen: Benchmark[], options: Options, session?: Session): Promise<void> {
  const folder = fileURLToPath(new URL("../../../results/bench", import.meta.url));
  const failed: string[] = [];
  for (const benchmark of chosen) {
    const { name } = benchmark;
    const began = performance.now();
    const ended = () => {
      session?.end();
      return `\n${name}, ${Math.round((performance.now() - began) / 1000)} s`;
    };
    try {
      const found = await runBenchmark(
        benchmark,
        join(folder, options.quick ? "quick" : "", name),
        options,
        session,
      );
      console.log(`${ended()}\n${found}`);
    } catch (error) {
      if (session?.signal.aborted) throw error;
      failed.push(name);
      console.error(`${ended()}\n${error instanceof UserError ? error.message : (error as Error).stack}`);
    }
  }
  if (failed.length > 0) throw new UserError(`\nFailed: ${failed.join(", ")}.`);
}

try {
  const read = readArguments(process.argv.slice(2), benchmarks);
  if (read === "help") console.log(usage);
  else {
    const { chosen, options } = read;
    if (options.plotOnly) await run(chosen, options);
    else await withSession((session) => run(chosen, options, session));
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
