import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MethodName, Wire } from "wire";

/** Bytes. */
export interface Memory {
  rss: number;
  heap: number;
}

/**
 * A program that publishes or consumes, in a process of its own. Its events are its lines: `ready`, `received` and so
 * on, with the rest of the line. `complained` comes with a line of its stderr, and `ended` when it has ended by itself.
 */
export class Client extends EventEmitter<Record<string, [string]>> {
  readonly name: string;
  readonly wire: Wire;
  /** The last lines of stderr. */
  readonly complaints: string[] = [];
  /** When its last line of readiness came, by `performance.now()`. */
  readyAt: number | undefined;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  #expected = false;

  /**
   * Starts a program.
   *
   * @param name What the management page is to call its connection.
   * @param program The file beside this one, behind options for Node.
   * @param args Its arguments.
   * @param wire Its way to the broker.
   */
  constructor(name: string, program: string[], args: string[], wire: Wire) {
    super();
    this.name = name;
    this.wire = wire;
    this.#process = spawn(process.execPath, ["--expose-gc", "--import", "tsx", ...program, ...args], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      // Ctrl-C is for the soak alone, which then tells its programs what to do. They end with their stdin, too.
      detached: true,
      env: {
        ...process.env,
        // It notices a silent peer within 3 s.
        AMQP_URL: `${wire.amqpUrl}?heartbeat=1`,
        npm_package_name: "soak",
        npm_lifecycle_event: name,
      },
    });
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on("error", () => {});
    this.on("ready", () => {
      this.readyAt = performance.now();
    });
    if (stdout)
      createInterface({ input: stdout }).on("line", (line) => {
        const [word = "", ...rest] = line.split(" ");
        this.emit(word, rest.join(" "));
      });
    if (stderr)
      createInterface({ input: stderr }).on("line", (line) => {
        this.complaints.push(line);
        if (this.complaints.length > 10) this.complaints.shift();
        this.emit("complained", line);
      });
    // All that it has told has been read by then.
    this.#exit = once(this.#process, "close").then(([code, signal]) => {
      if (!this.#expected) this.emit("ended", signal ?? `exit code ${code}`);
    });
  }

  /**
   * Waits for one of its lines.
   *
   * @param event The line's first word.
   * @param signal Gives up.
   * @param fits Whether the rest of the line is what is awaited. By default anything.
   * @returns The rest of the line.
   * @throws When the signal says so: with its reason, the program's name and what it complained of last.
   */
  async heard(event: string, signal: AbortSignal, fits = (_rest: string) => true): Promise<string> {
    try {
      for await (const [rest] of on(this, event, { signal })) if (fits(rest)) return rest;
      throw new Error("no more lines");
    } catch {
      throw this.#trouble(signal, `said nothing of "${event}" in time`);
    }
  }

  /**
   * Waits until it connects to the broker again.
   *
   * @param signal Gives up.
   * @throws As `heard` does.
   */
  async connects(signal: AbortSignal): Promise<void> {
    try {
      await this.wire.nextConnection(signal);
    } catch {
      throw this.#trouble(signal, "did not connect again in time");
    }
  }

  /** Waits until it is ready, unless it is. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.readyAt === undefined) await this.heard("ready", signal);
  }

  /** From now on it isn't ready: its connection is gone. */
  disconnected(): void {
    this.readyAt = undefined;
  }

  /** Cuts its connection. */
  cut(how: "fin" | "rst"): void {
    this.disconnected();
    this.wire.cut(how);
  }

  /**
   * Waits until it calls a method, of which so many bytes get through, and nothing after them.
   *
   * @param signal Gives up.
   * @throws As `heard` does.
   */
  async calls(method: MethodName, bytes: number, signal: AbortSignal): Promise<void> {
    void this.wire.stopAt({ method, bytes }).then(() => this.emit(method, ""));
    await this.heard(method, signal);
  }

  /** Has a publisher send a message that no consumer can handle: it throws, or its connection ends. Resolves with its id. */
  async send(what: "poison" | "unreadable", signal: AbortSignal): Promise<string> {
    const sent = this.heard("poisoned", signal);
    this.#tell(what);
    return sent;
  }

  /** What it has in use, after a collection of garbage. */
  async memory(signal: AbortSignal): Promise<Memory> {
    const told = this.heard("memory", signal);
    this.#tell("memory");
    const [rss = 0, heap = 0] = (await told).split(" ").map(Number);
    return { rss, heap };
  }

  /** SIGKILL: it gets no chance to say anything. Resolves when all that it said before has been heard. */
  async kill(): Promise<void> {
    this.#expected = true;
    this.#process.kill("SIGKILL");
    await this.#exit;
  }

  /** SIGTERM: it finishes what it has in hand. Resolves with its exit code when it has ended. */
  async stop(): Promise<number | null> {
    this.#expected = true;
    this.#process.kill("SIGTERM");
    await this.#exit;
    return this.#process.exitCode;
  }

  /** Has a publisher finish: it waits for its last confirms. Resolves with its exit code when it has ended. */
  async finish(signal: AbortSignal): Promise<number | null> {
    this.#expected = true;
    const finished = this.heard("finished", signal);
    this.#tell("finish");
    await finished;
    await this.#exit;
    return this.#process.exitCode;
  }

  #trouble({ reason }: AbortSignal, late: string): Error {
    const why = reason instanceof DOMException ? late : reason.message;
    return new Error([`${this.name}: ${why}.`, ...this.complaints].join("\n  "));
  }

  #tell(word: string): void {
    this.#process.stdin?.write(`${word}\n`);
  }
}
