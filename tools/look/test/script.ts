import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface Script extends ChildProcess {
  /** What it has written to stdout so far, with all that is meant for a terminal. */
  printed: string;
  /** What it has written to stderr so far. */
  complained: string;
}

/**
 * Runs `pnpm look`, until the test is finished at the latest.
 *
 * @param args What follows `look`.
 * @param env What differs from this process's environment.
 */
export function run(args: string[], env: NodeJS.ProcessEnv = {}): Script {
  const path = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const script = Object.assign(child, { printed: "", complained: "" });
  child.stdout.setEncoding("utf8").on("data", (chunk) => (script.printed += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk) => (script.complained += chunk));
  return script;
}

/** Asks again and again until the answer is neither undefined nor false, for 100 s at most. */
export async function until<T>(ask: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + 100_000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    await setTimeout(20);
  }
  throw new Error(`This did not come to be within 100 s: ${ask}`);
}
