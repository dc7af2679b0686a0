import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";

/** One terminal: what it runs and what it then shows. */
export interface Terminal {
  command: string[];
  /**
   * Lines that it shows, in their order. `…` stands for any text within a line. `> text` is typed, and `^C` is pressed,
   * when the lines above it are there.
   */
  shows: string[];
  /** How many of these lines make it ready, so that the next terminal opens. Without it, that waits for its end. */
  readyAfter?: number;
}

/**
 * Opens terminals one after another, each when the one before is ready or has ended, and waits until all of them have
 * shown their lines. Then it ends the programs that still run, as Ctrl-C does.
 *
 * @param terminals In the order in which they open.
 * @param options `env`: more environment variables for their programs. `signal`: gives up.
 * @throws When a program ends before it has shown its lines, or with another exit code than 0.
 */
export async function play(
  terminals: Terminal[],
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<void> {
  const programs: Program[] = [];
  const plays: Promise<void>[] = [];
  const kill = () => {
    for (const program of programs) program.process.kill("SIGKILL");
  };
  signal.addEventListener("abort", kill);
  try {
    for (const { command, shows, readyAfter = Number.POSITIVE_INFINITY } of terminals) {
      const program = new Program(command, env);
      programs.push(program);
      const playing = program.show(shows);
      // It is awaited when all terminals have been opened.
      playing.catch(() => {});
      plays.push(playing);
      await program.until(() => program.shown >= readyAfter);
    }
    await Promise.all(plays);
    for (const program of programs.reverse()) await program.leave();
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}

class Program extends EventEmitter<{ change: [] }> {
  readonly process: ChildProcess;
  /** How many of its lines it has shown. */
  shown = 0;
  readonly #command: string;
  readonly #lines: string[] = [];
  #ended = false;

  constructor(command: string[], env: NodeJS.ProcessEnv) {
    super();
    this.#command = command.join(" ");
    const [program = "", ...args] = command;
    this.process = spawn(program === "node" ? process.execPath : program, args, {
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    this.process.once("error", (error) => this.#lines.push(error.message));
    // A program that has ended reads no more. The lines that it lacks say what is wrong.
    this.process.stdin?.on("error", () => {});
    for (const stream of [this.process.stdout, this.process.stderr]) {
      let unfinished = "";
      stream?.setEncoding("utf8").on("data", (text: string) => {
        const lines = (unfinished + text).split(/\r?\n/);
        unfinished = lines.pop() ?? "";
        // A prompt is no line of its own. It stands before the next line.
        this.#lines.push(...lines.map((line) => line.replace(/^(> )+/, "")));
        this.emit("change");
      });
    }
    this.process.once("close", () => {
      this.#ended = true;
      this.emit("change");
    });
  }

  /** Waits until it has shown these lines. */
  async show(expected: string[]): Promise<void> {
    let next = 0;
    for (const line of expected) {
      if (line === "^C") this.process.kill("SIGINT");
      else if (line.startsWith("> ")) this.process.stdin?.write(`${line.slice(2)}\n`);
      else {
        const found = () => this.#lines.findIndex((shown, index) => index >= next && matches(shown, line));
        await this.until(() => found() >= 0);
        if (found() < 0)
          throw new Error(
            `${this.#command}\nended without this line:\n${line}\nIt printed:\n${this.#lines.join("\n")}`,
          );
        next = found() + 1;
      }
      this.shown++;
      this.emit("change");
    }
  }

  /** Ends it, if it still runs. */
  async leave(): Promise<void> {
    this.process.kill("SIGINT");
    await this.until(() => false);
    // On Windows a signal ends a program at once.
    if (this.process.exitCode !== 0 && process.platform !== "win32")
      throw new Error(
        `${this.#command}\nended with ${this.process.signalCode ?? `exit code ${this.process.exitCode}`}.`,
      );
  }

  /** Waits until a condition holds or the program has ended. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#ended) await once(this, "change");
  }
}

function matches(shown: string, expected: string): boolean {
  const parts = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(shown);
}
