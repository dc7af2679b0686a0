import { EventEmitter, once } from "node:events";
import { type Keyboard, takeKeys } from "stage";
import type { Screen } from "./screen.ts";
import type { Source } from "./source.ts";

/** Where the tour waits for its reader. */
export interface Stop {
  /** What will happen next, as a sentence. */
  next: string;
  /** The script that is about to run, if any. */
  source?: Source | undefined;
  /** Whether there is anything before it. */
  canGoBack: boolean;
}

export type Answer = "on" | "next" | "back";

const KEYS = "Enter goes on · n next pattern · b back · s script · a play on · q quit";
const FEW_KEYS = "Enter goes on · ? shows the other keys";
const PLAYING = "Any key stops before the next step · q quit";

/** Somebody at the terminal, who decides when the tour goes on. */
export class Reader {
  /** Gives the keyboard back. */
  readonly close: () => void;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  readonly #end: (reason: "SIGINT" | "quit") => void;
  readonly #keys = new EventEmitter();
  #playsOn = false;
  #knowsKeys = false;

  /**
   * Takes keys as they are pressed, until `close`. Ctrl-C then is a key like others.
   *
   * @param options `end` hears Ctrl-C and `q`, at any time; it aborts `signal`.
   */
  constructor(options: {
    keyboard: Keyboard;
    screen: Screen;
    signal: AbortSignal;
    end(reason: "SIGINT" | "quit"): void;
  }) {
    this.#screen = options.screen;
    this.#signal = options.signal;
    this.#end = options.end;
    this.close = takeKeys(options.keyboard, this.#press);
  }

  /**
   * Waits until the reader decides. Keys that were pressed before don't count.
   *
   * @returns What to do. At once "on" when the tour plays on without stopping.
   * @throws The reason of the signal.
   */
  async stop({ next, source, canGoBack }: Stop): Promise<Answer> {
    if (this.#playsOn) return "on";
    const screen = this.#screen;
    let remark = this.#knowsKeys ? FEW_KEYS : KEYS;
    this.#knowsKeys = true;
    try {
      for (;;) {
        screen.prompt(["", ...screen.wrap(`Next: ${next}`), screen.style("dim", remark)]);
        const key = await this.#key();
        if (key === "enter") return "on";
        if (key === "n") return "next";
        if (key === "b" && canGoBack) return "back";
        if (key === "a") {
          this.#playsOn = true;
          return "on";
        }
        remark = KEYS;
        if (key === "b") remark = "This is the first step.";
        if (key === "s" && source) await this.#show(source);
        if (key === "s" && !source) remark = "This step runs none of the example's scripts.";
      }
    } finally {
      screen.prompt(this.#playsOn ? [screen.style("dim", PLAYING)] : []);
      screen.turnPage();
    }
  }

  /** Shows a script, as much at once as the terminal has room for. */
  async #show({ path, lines }: Source): Promise<void> {
    const screen = this.#screen;
    screen.prompt([]);
    screen.line();
    screen.line(screen.style(["bold", "underline"], path));
    screen.turnPage();
    for (const [index, line] of lines.entries()) {
      screen.line(line);
      const isFull = screen.printed >= screen.rows - screen.drawn - 2;
      if (!isFull || index === lines.length - 1) continue;
      screen.prompt([
        screen.style("dim", `${lines.length - index - 1} more lines · Enter goes on · any other key ends`),
      ]);
      const key = await this.#key();
      screen.prompt([]);
      screen.turnPage();
      if (key !== "enter") return;
    }
  }

  async #key(): Promise<string> {
    try {
      const [key] = await once(this.#keys, "key", { signal: this.#signal });
      return key;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    }
  }

  readonly #press = (key: string): void => {
    if (key === "ctrl-c") this.#end("SIGINT");
    else if (key === "q" || key === "ctrl-d") this.#end("quit");
    else {
      if (this.#playsOn) this.#screen.prompt([]);
      this.#playsOn = false;
      this.#keys.emit("key", key);
    }
  };
}
