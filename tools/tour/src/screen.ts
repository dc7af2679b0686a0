import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Where the tour shows itself: a terminal, or a file that gets the same text without colours and progress. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #colours: boolean;
  #waiting: NodeJS.Timeout | undefined;
  #progress = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const { FORCE_COLOR } = process.env;
    // hasColors knows NO_COLOR and terminals without colours.
    this.#colours = FORCE_COLOR ? FORCE_COLOR !== "0" : stream.isTTY && stream.hasColors();
  }

  /** The text in a style, where there are colours. */
  style(style: Style, text: string): string {
    // Whether there are colours is decided once, above: later versions of Node would decide it again.
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Shows a line. */
  line(text = ""): void {
    this.#clear();
    this.#stream.write(`${text}\n`);
    if (this.#waiting) this.waiting();
  }

  /** Shows a paragraph in lines that fit. */
  paragraph(text: string): void {
    let line = "";
    for (const word of text.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > this.width) {
        this.line(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    this.line(line);
  }

  /** In characters. */
  get width(): number {
    return Math.min(this.#stream.columns || 100, 100);
  }

  /** From now on, on a terminal, something moves whenever nothing has come for a second. */
  waiting(): void {
    this.done();
    if (!this.#stream.isTTY) return;
    const began = performance.now();
    this.#waiting = setInterval(() => {
      const seconds = Math.round((performance.now() - began) / 1000);
      this.#progress = true;
      this.#stream.write(`\r${this.style("dim", `… ${seconds} s`)}`);
    }, 1000).unref();
  }

  /** From now on nothing is awaited. */
  done(): void {
    clearInterval(this.#waiting);
    this.#waiting = undefined;
    this.#clear();
  }

  #clear(): void {
    // Back to the line's beginning, and all after it erased.
    if (this.#progress) this.#stream.write("\r\x1b[K");
    this.#progress = false;
  }
}
