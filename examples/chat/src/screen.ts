import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";

export interface ScreenOptions {
  /** Where lines are typed, or come from. */
  input: NodeJS.ReadableStream & { setRawMode?(mode: boolean): void };
  /** Where lines are shown. */
  output: NodeJS.WritableStream & { columns?: number };
  /** Whether both are a terminal whose cursor can be moved. */
  terminal: boolean;
}

/** How many messages that are on their way are shown at most. */
const shown = 3;

/**
 * A conversation. In a terminal there is a prompt below it, with line editing and a history (the arrow keys), and
 * between the two are the messages on their way. Lines that come in go above all that, and what is being typed stays
 * as it is. Without a terminal there are only the lines.
 */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #sending = new Set<{ line: string }>();
  /** While there is a prompt. */
  #prompting: Interface | undefined;
  #reading: Interface | undefined;
  #closed = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /**
   * Asks for lines.
   *
   * @returns The lines that are typed, until Ctrl-C, Ctrl-D, the end of the input, or `close`. Once.
   */
  async *lines(): AsyncGenerator<string> {
    if (this.#closed) return;
    const { input, output, terminal } = this.#options;
    const readline = createInterface({
      input,
      ...(terminal ? { output, historySize: 1000, removeHistoryDuplicates: true } : {}),
      terminal,
      // A file from Windows: "\r\n" is one end of a line, even where a chunk ends between the two.
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    this.#reading = readline;
    if (terminal) this.#startPrompting(readline);
    try {
      for await (const line of readline) {
        yield line;
        // By now there may be more that has been read.
        if (this.#closed) return;
      }
    } finally {
      this.close();
    }
  }

  /**
   * Shows a line.
   *
   * @param line Printable text; the terminal wraps it.
   * @returns When the output has taken it. Where it can't, it emits `error`, and this waits for ever.
   */
  print(line: string): Promise<void> {
    const { output } = this.#options;
    return new Promise((resolve) => {
      this.#abovePrompt(() => output.write(`${line}\n`, (error) => !error && resolve()));
    });
  }

  /**
   * Shows a message that is on its way: ` … text`, next to the prompt, if there is one.
   *
   * @param message Printable text.
   * @returns What to call when it has arrived: it then becomes a line of the conversation, ` ✓ text`.
   */
  sending(message: string): () => void {
    const entry = { line: ` … ${message}` };
    this.#abovePrompt(() => this.#sending.add(entry));
    return () => {
      this.#sending.delete(entry);
      void this.print(` ✓ ${message}`);
    };
  }

  /** Ends `lines`, and takes away the prompt. Lines can still be shown. */
  close(): void {
    this.#closed = true;
    this.#reading?.close();
  }

  #startPrompting(readline: Interface): void {
    const { input } = this.#options;
    this.#prompting = readline;
    // Before readline acts on the key. Pasted text may have taken it to another row unnoticed.
    const onKey = () => isInRow(readline, readline.getCursorPos().rows);
    input.prependListener("keypress", onKey);
    readline.on("line", (line) => {
      // readline leaves what was typed on the screen, and the cursor in the row below. `sending` shows it from now on.
      readline.setPrompt(readline.getPrompt() + line);
      this.#erase(readline.getCursorPos().rows + 1);
      this.#drawPrompt(readline);
    });
    const onContinue = () => {
      input.setRawMode?.(true);
      this.#drawPrompt(readline);
    };
    // By itself, readline would stop this process alone, and pnpm above it would keep the terminal: the shell waits until
    // all of its job has stopped.
    readline.on("SIGTSTP", () => {
      process.once("SIGCONT", onContinue);
      this.#erase(readline.getCursorPos().rows);
      input.setRawMode?.(false);
      process.kill(0, "SIGTSTP");
    });
    readline.once("close", () => {
      process.removeListener("SIGCONT", onContinue);
      input.removeListener("keypress", onKey);
      this.#abovePrompt(() => {
        this.#prompting = undefined;
      });
    });
    this.#drawPrompt(readline);
  }

  /** Takes the prompt and what is being typed off the screen, and puts both back below what was written meanwhile. */
  #abovePrompt(write: () => void): void {
    if (this.#prompting) this.#erase(this.#prompting.getCursorPos().rows);
    write();
    if (this.#prompting) this.#drawPrompt(this.#prompting);
  }

  /** @param rows How many are above the cursor's. */
  #erase(rows: number): void {
    const { output } = this.#options;
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
  }

  #drawPrompt(readline: Interface): void {
    const { columns = 80 } = this.#options.output;
    const lines = [...this.#sending].map(({ line }) => line.slice(0, columns - 1));
    const hidden = lines.splice(0, Math.max(0, lines.length - shown)).length;
    if (hidden > 0) lines.unshift(` … ${hidden} more`);
    readline.setPrompt([...lines, "> "].join("\n"));
    isInRow(readline, 0);
    readline.prompt(true);
  }
}

/**
 * Tells readline in which row below its prompt's first the cursor is: from there it draws anew. It has no documented way
 * for that, and by itself it doesn't know what others wrote, nor (Node 20 to 24) where pasted text has wrapped.
 */
function isInRow(readline: Interface, prevRows: number): void {
  Object.assign(readline, { prevRows });
}

/**
 * This process's screen, which is a prompt where it is run in a terminal. There, `console.error` also keeps off the
 * prompt. When nobody reads our output any more (`| head -1`), the process exits with code 1: what can't be shown must
 * not be acknowledged.
 */
export function openScreen(): Screen {
  const { stdin, stdout, stderr, env } = process;
  const terminal = stdin.isTTY && stdout.isTTY && env.TERM !== "dumb";
  const screen = new Screen({ input: stdin, output: stdout, terminal });
  if (terminal && stderr.isTTY) console.error = (line) => void screen.print(line);
  stdout.once("error", () => process.exit(1));
  return screen;
}
