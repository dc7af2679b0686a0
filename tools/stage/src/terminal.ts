import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "./guard.ts";
import type { Key } from "./readme.ts";

export interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Hears each line at the moment when it is complete. */
  onLine?: (line: string) => void;
  /** Hears of whatever changes: also an unfinished line, and the end. */
  onChange?: () => void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const signals = { "^C": "SIGINT", "^\\": "SIGQUIT" } as const;

/**
 * The variables that a reader's fresh shell would have, for programs that are run on their behalf.
 *
 * @param more What to add, above all `AMQP_URL`.
 * @returns Those of this process without what package managers and test runners put there, without what would have Node,
 *   its libraries or a shell print more than they do by themselves, and without colours.
 */
export function readersEnvironment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !outOfPlace.test(name));
  return { ...Object.fromEntries(own), NO_COLOR: "1", ...more };
}

/** Of Node's own only one stays: the broker at AMQP_URL may have a certificate of that authority. */
const outOfPlace =
  /^(npm_|pnpm_|turbo_|vitest|tsx_|clicolor)|^node_(?!extra_ca_certs$)|^(debug|force_color|shellopts|bashopts)$/i;

/**
 * Types a command into a terminal of its own: `sh` runs it from `cwd`, and its two output streams are one.
 *
 * @param command What a reader would type.
 */
export function openTerminal(command: string, surroundings: Surroundings): Terminal {
  // One pipe for both streams keeps their order. A key that ends a program at once should leave no core file.
  return new Terminal("sh", ["-c", `exec 2>&1; ulimit -c 0\n${command}`], surroundings);
}

/**
 * Runs a program without a shell, so that its exit code is exact and `errors` are told from `lines`.
 *
 * @param file The program.
 * @param args Its arguments, as they are.
 */
export function openProgram(file: string, args: string[], surroundings: Surroundings): Terminal {
  return new Terminal(file, args, surroundings);
}

/**
 * A running program and its screen, in a process group of its own: keys go to all that it started. Needs POSIX.
 * Whatever is still open when this process ends, ends with it.
 */
export class Terminal {
  /** Resolves when the program has ended and all that it printed has been read. */
  readonly exit: Promise<Exit>;
  /** How it ended, once it has. */
  ended: Exit | undefined;
  readonly #process: ChildProcess;
  readonly #command: string;
  readonly #output: string[] = [];
  readonly #errors: string[] = [];
  readonly #unfinished = { stdout: "", stderr: "" };
  readonly #watchers = new Set<() => void>();
  readonly #onLine: (line: string) => void;

  constructor(file: string, args: string[], { cwd, env, onLine = () => {}, onChange }: Surroundings) {
    this.#command = [file, ...args].join(" ");
    this.#onLine = onLine;
    if (onChange) this.#watchers.add(onChange);
    this.#process = spawn(file, args, { cwd, env, detached: true, stdio: "pipe" });
    const { pid, stdin, stdout, stderr } = this.#process;
    const over = pid === undefined ? () => {} : watch(pid);
    // Typing into a program that has just ended is nothing to fail of.
    stdin?.on("error", () => {});
    for (const [name, stream] of Object.entries({ stdout, stderr }) as ["stdout" | "stderr", typeof stdout][])
      stream?.setEncoding("utf8").on("data", (text: string) => this.#read(name, text));
    this.#process.on("error", (error) => this.#print("stderr", error.message));
    this.exit = new Promise((resolve) => {
      this.#process.once("close", (code, signal) => {
        over();
        this.#finishLines();
        this.ended = { code, signal };
        this.#changed();
        resolve(this.ended);
      });
    });
  }

  /** What it has printed, a line each, both streams in order of arrival. The last one may be unfinished. */
  get lines(): string[] {
    return [...this.#output, ...[this.unfinished].filter(Boolean)];
  }

  /** What it has printed to stderr, unless it was opened by `openTerminal`, where all is one. */
  get errors(): string[] {
    return [...this.#errors, ...[this.#unfinished.stderr].filter(Boolean)];
  }

  /** The last line so far, without its end: a prompt. */
  get unfinished(): string {
    return this.#unfinished.stdout + this.#unfinished.stderr;
  }

  /**
   * Waits until it has printed a line.
   *
   * @param expected The whole line, or a pattern that is found in it.
   * @param options `times`: how many such lines. `within`: ms, a bound for what should come at once.
   * @returns All the lines that fit.
   * @throws When it ends first, or the time is up: with what it printed instead.
   */
  async printed(expected: string | RegExp, { times = 1, within = 15_000 } = {}): Promise<string[]> {
    const found = () =>
      this.lines.filter((line) =>
        typeof expected === "string" ? line === expected : line.search(expected) >= 0,
      );
    await this.until(() => found().length >= times || this.ended !== undefined, within);
    const lines = found();
    if (lines.length >= times) return lines;
    throw new Error(
      [
        `${this.#command}\nprinted ${lines.length} of ${times} times ${expected}`,
        this.ended ? `and ended with ${exitInWords(this.ended)}.` : `within ${within / 1000} s.`,
        `It printed:\n${this.lines.map((line) => `  ${line}`).join("\n") || "  (nothing)"}`,
      ].join(" "),
    );
  }

  /**
   * Waits for a condition, which is looked at whenever something changes on the screen, and at the end.
   *
   * @param within ms
   * @param signal Ends the waiting; the promise then rejects with its reason.
   * @returns Whether it came to hold.
   */
  async until(condition: () => boolean, within: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (condition()) return true;
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        how();
      };
      const look = () => {
        if (condition()) settle(() => resolve(true));
      };
      const abort = () => settle(() => reject(signal?.reason));
      const timer = setTimeout(() => settle(() => resolve(false)), within);
      this.#watchers.add(look);
      signal?.addEventListener("abort", abort);
    });
  }

  /** Types a line and Enter, which also ends the line that a prompt stands in. */
  type(line: string): void {
    this.#finishLines();
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Presses a key: Ctrl-C (SIGINT) or Ctrl-\ (SIGQUIT). */
  press(key: Key): void {
    this.#finishLines();
    this.#signal(signals[key]);
  }

  /** Asks it to end, as service managers and container runtimes do: SIGTERM. */
  terminate(): void {
    this.#signal("SIGTERM");
  }

  /** Ends it as `kill -9` does: it gets no chance to tidy up. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  /** Ends it, however, and waits for that. Does nothing to one that has ended. */
  async close(): Promise<void> {
    this.kill();
    await this.exit;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid === undefined || this.ended) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // It has just ended: Linux says ESRCH, macOS says EPERM until the group's last process is waited for.
      if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }

  #read(stream: "stdout" | "stderr", text: string): void {
    const [first = "", ...rest] = text.split("\n");
    let line = this.#unfinished[stream] + first;
    for (const next of rest) {
      this.#unfinished[stream] = "";
      this.#print(stream, line);
      line = next;
    }
    this.#unfinished[stream] = line;
    this.#changed();
  }

  #print(stream: "stdout" | "stderr", line: string): void {
    this.#output.push(line);
    if (stream === "stderr") this.#errors.push(line);
    this.#onLine(line);
  }

  #finishLines(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const line = this.#unfinished[stream];
      this.#unfinished[stream] = "";
      if (line !== "") this.#print(stream, line);
    }
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

/** How a program ended, for people: "exit code 0", "signal SIGKILL". */
export const exitInWords = ({ code, signal }: Exit): string =>
  signal ? `signal ${signal}` : `exit code ${code}`;
