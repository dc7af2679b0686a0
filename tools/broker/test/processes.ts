import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface Process {
  pid: number;
  /** The command line, and the environment after it. */
  command: string;
}

/** The living processes whose command line or environment holds a text. */
export function processesWith(text: string): Process[] {
  const withEnvironment = process.platform === "linux" ? "axeww" : "axEww";
  const list = execFileSync("ps", [withEnvironment, "-o", "pid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { PATH: process.env.PATH },
  });
  return list.split("\n").flatMap((line) => {
    const [, pid, state, command] = /^\s*(\d+)\s+(\S+)\s+(.*)/.exec(line) ?? [];
    // A zombie has ended, whenever its parent takes note.
    if (command === undefined || state?.startsWith("Z") || !command.includes(text)) return [];
    return [{ pid: Number(pid), command }];
  });
}

/** The folder of the private node that listens, or is to listen, on a port; its processes all name it. */
export async function folderOf(port: number): Promise<string> {
  return until(() => {
    const [keeper] = processesWith(`listeners.tcp.1 = 127.0.0.1:${port}\\n`);
    return /"folder":"([^"]+)"/.exec(keeper?.command ?? "")?.[1];
  });
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

export interface Script extends ChildProcess {
  /** What it has written to stdout so far. */
  printed: string;
  /** What it has written to stderr so far. */
  complained: string;
}

/**
 * Runs a script, in a process group of its own as a shell does, until the test is finished at the latest.
 *
 * @param file Relative to this one.
 * @param env What differs from this process's environment.
 */
export function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Script {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, ...args], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const script = Object.assign(child, { printed: "", complained: "" });
  child.stdout.on("data", (chunk) => (script.printed += chunk));
  child.stderr.on("data", (chunk) => (script.complained += chunk));
  return script;
}
