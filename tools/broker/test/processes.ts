import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";

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
    env: { PATH: process.env["PATH"] },
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

/** Asks again and again until the answer is neither undefined nor false. */
export async function until<T>(ask: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    await setTimeout(20);
  }
}
