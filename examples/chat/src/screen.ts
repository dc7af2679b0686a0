import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import type { Log } from "shared";

export interface ScreenOptions {
  /** Where lines are typed, or come from. */
  input: NodeJS.ReadableStream & { setRawMode?(mode: boolean): void };
  /** Where lines are shown. */
  output: NodeJS.WritableStream;
  /** Whether both are a terminal whose cursor can be moved. */
  terminal: boolean;
}

/**
 * A conversation. In a terminal there is a prompt below it, with line editing and a history (the arrow keys). Lines that
 * come in go above the prompt, and what is being typed stays as it is. Without a terminal there are only the lines.
 */
export class Screen {
  /** Shows what happens to the connections: above the prompt if there is one, else on stderr. */
  readonly log: Log;
  readonly #options: ScreenOptions;
  readonly #closing = new AbortController();
  /** The prompt, while there is one. */
  #prompt: Interface | undefined;

  constructor(options: ScreenOptions) {
    this.#options = options;
    let told = "";
    // The connections of the publisher and of the consumer are usually lost together. One line is enough.
    const tellOnce = (message: string) => {
      if (message !== told) this.#tell(message);
      told = message;
    };
    this.log = { info: tellOnce, warn: tellOnce, error: (message) => this.#tell(message) };
  }

  /**
   * Asks for lines.
   *
   * @returns The lines that are typed, until Ctrl-C, Ctrl-D, the end of the input, or `close`. Once.
   */
  async *lines(): AsyncGenerator<string> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    // Infinity: in a file from Windows, "\r\n" is one end of a line even where a chunk ends between the two.
    const crlfDelay = Number.POSITIVE_INFINITY;
    const readline = createInterface({ ...this.#options, prompt: "> ", crlfDelay, signal });
    if (this.#options.terminal) this.#showPrompt(readline);
    for await (const line of readline) {
      yield line;
      // By now there may be more that has been read.
      if (signal.aborted) return;
    }
  }

  /**
   * Shows a line.
   *
   * @param line Printable text. The terminal wraps it.
   * @returns When the output has taken it. If it can't, it emits `error`, and this waits for ever.
   */
  print(line: string): Promise<void> {
    return new Promise((resolve) => {
      this.#erase();
      this.#options.output.write(`${line}\n`, (error) => !error && resolve());
      this.#prompt?.prompt(true);
    });
  }

  /** Ends `lines`, and takes away the prompt. Lines can still be shown. */
  close(): void {
    this.#closing.abort();
  }

  #tell(message: string): void {
    if (this.#prompt && process.stderr.isTTY) void this.print(` [!] ${message}`);
    else console.error(` [!] ${message}`);
  }

  #showPrompt(readline: Interface): void {
    const { input } = this.#options;
    this.#prompt = readline;
    readline.on("line", () => readline.prompt());
    // By itself, readline would stop this process alone, and pnpm above it would keep the terminal: the shell waits until
    // all of its job has stopped.
    readline.on("SIGTSTP", () => {
      process.once("SIGCONT", () => {
        if (!this.#prompt) return;
        input.setRawMode?.(true);
        readline.prompt(true);
      });
      this.#erase();
      input.setRawMode?.(false);
      process.kill(0, "SIGTSTP");
    });
    readline.once("close", () => {
      this.#erase();
      this.#prompt = undefined;
    });
    readline.prompt();
  }

  /** Takes the prompt and what is being typed off the screen. */
  #erase(): void {
    if (!this.#prompt) return;
    const { output } = this.#options;
    moveCursor(output, 0, -this.#prompt.getCursorPos().rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    // The row of the cursor, counted from the prompt. readline has no documented way to tell it that something else moved
    // the cursor.
    Object.assign(this.#prompt, { prevRows: 0 });
  }
}

/**
 * This process's screen, which has a prompt in a terminal. When the program that reads our output has ended
 * (`| head -1`), the process exits with code 1: what can't be shown must not be acknowledged.
 */
export function openScreen(): Screen {
  const { stdin, stdout, env } = process;
  stdout.once("error", () => process.exit(1));
  const terminal = stdin.isTTY && stdout.isTTY && env.TERM !== "dumb";
  return new Screen({ input: stdin, output: stdout, terminal });
}
