import { flag, list, readCommandLine, UsageError, whole } from "cli";
import type { Benchmark, BenchOptions } from "./benchmark.ts";

/**
 * Reads the command line.
 *
 * @param args What was typed after the command.
 * @param benchmarks Those that there are.
 * @returns Which are to run ("all" is each of them), and how; or the exit code when there is nothing to run.
 */
export function readArguments(
  args: string[],
  benchmarks: Benchmark[],
): { chosen: Benchmark[]; options: BenchOptions } | number {
  const extras = benchmarks.flatMap(({ name, extras = [] }) => extras.map((extra) => `${extra} (${name})`));
  return readCommandLine(
    args,
    {
      name: "pnpm bench",
      words: "<benchmark>",
      about: "Measures what this project claims, on a RabbitMQ of its own or the one at AMQP_URL.",
      options: {
        quick: flag("Few and short rounds: does it run?"),
        rounds: whole("How many rounds count, from 1 to 1000", { from: 1, to: 1000 }),
        with: list("NAMES", `Measures these as well, with commas between them: ${extras.join(", ")}`),
      },
      more: `Benchmarks:
${benchmarks.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}
  all          each of them

The results and the report are written to results/bench/<benchmark>/, those of quick runs to results/bench/quick/.`,
    },
    ({ with: extras = [], ...values }, [name, ...more]) => {
      const names = [...benchmarks.map(({ name }) => name), "all"].join(", ");
      if (name === undefined) throw new UsageError(`Which benchmark? There are: ${names}.`);
      const chosen = name === "all" ? benchmarks : benchmarks.filter((benchmark) => benchmark.name === name);
      if (chosen.length === 0) throw new UsageError(`There is no benchmark "${name}". There are: ${names}.`);
      if (more.length > 0) throw new UsageError("One benchmark at a time, or all.");
      for (const extra of extras)
        if (!chosen.some((benchmark) => benchmark.extras?.includes(extra)))
          throw new UsageError(`${name} knows no "${extra}" to be measured with.`);
      return { chosen, options: { ...values, with: extras } };
    },
  );
}
