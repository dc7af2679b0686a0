import { join } from "node:path";
import { type Benchmark, type Options, type Session, withSession } from "./benchmark.ts";
import { environment, interleave, type Result, ResultFile, type Way } from "./results.ts";

export interface Kept {
  name: string;
  summary: string;
  /** What is compared. `versions`: of what takes part beside Node, amqplib and RabbitMQ, by name. */
  prepare(session: Session, options: Options): Promise<{ ways: Way[]; versions: Record<string, string> }>;
  /**
   * Writes the page.
   *
   * @returns `Benchmark.run`'s line.
   */
  report(folder: string, results: Result[]): string;
}

/** A benchmark that keeps each run in its folder's results.jsonl, and draws its page from that file alone. */
export const kept = ({ name, summary, prepare, report }: Kept): Benchmark => ({
  name,
  summary,
  async run(options) {
    const { folder, quick, rounds = quick ? 1 : 5, resume, plotOnly } = options;
    const file = new ResultFile(join(folder, "results.jsonl"));
    if (plotOnly) return report(folder, file.read());
    return withSession(async (session) => {
      const { broker, progress, signal } = session;
      const { ways, versions } = await prepare(session, options);
      const results = await interleave(ways, {
        benchmark: name,
        rounds,
        file,
        resume,
        quick,
        progress,
        environment: environment(broker.version, versions),
        signal,
      });
      return report(folder, results);
    });
  },
});
