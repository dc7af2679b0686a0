import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type Benchmark,
  Interrupted,
  type Options,
  type Session,
  UserError,
  withSession,
} from "./benchmark.ts";

const cli = fileURLToPath(new URL("cli.ts", import.meta.url));

/**
 * Runs benchmarks one after another, each in a process of its own, all on one broker.
 *
 * @param benchmarks Which.
 */
export const all = (benchmarks: Benchmark[]): Benchmark => ({
  name: "all",
  summary: "each of them; with --quick in below three minutes, to see that all of it runs",
  async run(options) {
    const failed = options.plotOnly
      ? await runAll(benchmarks, options)
      : await withSession((session) => runAll(benchmarks, options, session));
    if (failed.length > 0) throw new UserError(`Failed: ${failed.join(", ")}.`);
    return `All ${benchmarks.length} benchmarks have run.`;
  },
});

/** @returns The names of those that failed. */
async function runAll(benchmarks: Benchmark[], options: Options, session?: Session): Promise<string[]> {
  const failed: string[] = [];
  for (const { name } of benchmarks) {
    const began = performance.now();
    const { code, summary, printed } = await runOne(name, options, session);
    const seconds = Math.round((performance.now() - began) / 1000);
    if (code === 0) console.log(`${name.padEnd(12)} ${String(seconds).padStart(4)} s  ${summary}`);
    else {
      console.log(`${name.padEnd(12)} ${String(seconds).padStart(4)} s  failed with ${code}\n${printed}`);
      failed.push(name);
    }
  }
  return failed;
}

async function runOne(name: string, { quick, rounds, resume, plotOnly }: Options, session?: Session) {
  const flags = [
    ...(quick ? ["--quick"] : []),
    ...(rounds === undefined ? [] : ["--rounds", String(rounds)]),
    ...(resume ? ["--resume"] : []),
    ...(plotOnly ? ["--plot-only"] : []),
  ];
  const { broker, signal } = session ?? {};
  signal?.throwIfAborted();
  // On a terminal its progress shows; elsewhere it is wanted only when something fails.
  const stderr = process.stderr.isTTY ? "inherit" : "pipe";
  const child = spawn(process.execPath, ["--import", "tsx", cli, name, ...flags], {
    stdio: ["ignore", "pipe", stderr],
    env: {
      ...process.env,
      ...(broker && { AMQP_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl }),
    },
  });
  const forward = () => child.kill("SIGINT");
  signal?.addEventListener("abort", forward, { once: true });
  let figures = "";
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    figures += text;
    printed += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  signal?.removeEventListener("abort", forward);
  if (signal?.aborted) throw new Interrupted();
  return { code, printed, summary: figures.trim().split("\n").at(-1) ?? "" };
}
