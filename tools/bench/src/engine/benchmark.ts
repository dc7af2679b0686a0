import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { UserError } from "cli";
import { type Report, writeReport } from "../report/report.ts";
import { environment } from "./machine.ts";
import { interleave, type Result, type Variant } from "./results.ts";
import type { RunContext } from "./run.ts";
import type { Session } from "./session.ts";

/** What the command line asks for. */
export interface BenchOptions {
  /** Few and short rounds: does it run? */
  quick: boolean;
  /** How many rounds count. By default five, or one when it is quick. */
  rounds?: number | undefined;
  /** Which of the benchmark's `extras` to measure as well. */
  with: string[];
}

/** What a benchmark gets to prepare its runs: a virtual host of its own, and the command line's choice. */
export interface Context extends Required<RunContext> {
  /** For RABBITMQ_MANAGEMENT_URL. */
  managementUrl: string;
  say: Session["say"];
  quick: boolean;
  with: string[];
}

export interface Prepared {
  /** What is compared. */
  ways: Variant[];
  /** Versions of what takes part beside Node, amqplib and RabbitMQ, by name. */
  versions?: Record<string, string>;
  /** What can't be measured on this machine, and what to install for it. */
  missing?: string[];
  /** What is on this machine and failed all the same: the rest is measured, and then this is the error. */
  failed?: string;
  /** Ends what `prepare` has started. */
  close?(): Promise<void>;
}

export interface Benchmark {
  name: string;
  /** One line for the usage. */
  summary: string;
  /** What it measures only when --with asks for it. */
  extras?: string[];
  prepare(context: Context): Promise<Prepared>;
  /** The report of all results, which are never none. */
  report(results: Result[]): Report;
}

/**
 * Measures a benchmark, keeps each run in its folder's results.jsonl, and writes the report.
 *
 * @param folder Where results.jsonl, README.md and the plots are.
 * @returns What matters most, in lines.
 * @throws `Interrupted` after Ctrl-C, or `UserError` when something failed.
 */
export async function runBenchmark(
  benchmark: Benchmark,
  folder: string,
  options: BenchOptions,
  session: Session,
): Promise<string> {
  const { broker, say, signal } = session;
  const { quick, rounds = quick ? 1 : 5 } = options;
  const { amqpUrl, managementUrl, ...virtualHost } = await broker.createVirtualHost(`bench-${randomUUID()}`);
  try {
    const prepared = await benchmark.prepare({
      amqpUrl,
      managementUrl,
      signal,
      say,
      quick,
      with: options.with,
    });
    try {
      const results = await interleave(prepared.ways, {
        benchmark: benchmark.name,
        rounds,
        file: join(folder, "results.jsonl"),
        quick,
        say,
        environment: environment(broker.version, prepared.versions),
        signal,
      });
      const { missing = [], failed } = prepared;
      const summary = writeReport(folder, benchmark.report, results, [
        ...missing,
        ...(failed ? [failed] : []),
      ]);
      if (failed) throw new UserError(summary);
      return summary;
    } finally {
      await prepared.close?.();
    }
  } finally {
    await virtualHost.delete();
  }
}
