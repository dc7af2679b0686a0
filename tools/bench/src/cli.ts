import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "cli";
import { confirms } from "./benchmarks/confirms.ts";
import { helper } from "./benchmarks/helper.ts";
import { live } from "./benchmarks/live.ts";
import { prefetch } from "./benchmarks/prefetch.ts";
import { roundRobin } from "./benchmarks/round-robin.ts";
import { readArguments } from "./engine/arguments.ts";
import { type Benchmark, type BenchOptions, runBenchmark } from "./engine/benchmark.ts";
import { Interrupted, type Session, withSession } from "./engine/session.ts";

const benchmarks = [roundRobin, confirms, prefetch, helper, live];

/** Runs benchmarks one after another, prints what each has found, and goes on when one fails. */
async function run(chosen: Benchmark[], options: BenchOptions, session: Session): Promise<void> {
  const folder = fileURLToPath(new URL("../../../results/bench", import.meta.url));
  const failed: string[] = [];
  for (const benchmark of chosen) {
    const { name } = benchmark;
    const began = performance.now();
    const ended = () => {
      session.end();
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
      if (session.signal.aborted) throw error;
      failed.push(name);
      console.error(`${ended()}\n${error instanceof UserError ? error.message : (error as Error).stack}`);
    }
  }
  if (failed.length > 0) throw new UserError(`\nFailed: ${failed.join(", ")}.`);
}

try {
  const read = readArguments(process.argv.slice(2), benchmarks);
  if (typeof read === "number") process.exitCode = read;
  else {
    const { chosen, options } = read;
    await withSession((session) => run(chosen, options, session));
  }
} catch (error) {
  if (error instanceof Interrupted) {
    console.error("Stopped.");
    process.exitCode = 130;
  } else if (error instanceof UserError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}
