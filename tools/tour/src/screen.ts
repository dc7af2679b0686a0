import { styleText } from "node:util";
import stringWidth from "string-width";
import wrap from "wrap-ansi";

export type Style = Parameters<typeof styleText>[0];

/** What a screen needs of a stream: `process.stdout` has it. */
export type Output = Pick<NodeJS.WriteStream, "columns" | "rows" | "isTTY" | "hasColors" | "write">;

/**
 * Where the tour shows itself: a terminal, or a file that gets the same text without colours.
 *
 * On a terminal the last rows are drawn anew as they change, and what is printed goes above them: a board, where several
 * terminals stand side by side, a prompt, and a clock.
 */
export class Screen {
  readonly #stream: Output;
  readonly #colours: boolean;
  #clock: NodeJS.Timeout | undefined;
  #board: string[] = [];
  #prompt: string[] = [];
  #time: string[] = [];
  /** Rows at the bottom that the next output replaces. */
  #drawn = 0;
  #printed = 0;

  constructor(stream: Output) {
    this.#stream = stream;
    const { FORCE_COLOR } = process.env;
    // hasColors knows NO_COLOR and terminals without colours.
    this.#colours = FORCE_COLOR ? FORCE_COLOR !== "0" : stream.isTTY && stream.hasColors();
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY;
  }

  /** In characters, of the whole terminal. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** In lines, of the whole terminal. */
  get rows(): number {
    return this.#stream.rows || 24;
  }

  /** In characters, of a paragraph. */
  get width(): number {
    return Math.min(this.#stream.columns || 100, 100);
  }

  /** How many rows have been printed since `turnPage`. */
  get printed(): number {
    return this.#printed;
  }

  /** How many rows at the bottom are drawn anew as they change. */
  get drawn(): number {
    return this.#drawn;
  }

  /** What is printed from now on counts for the next page. */
  turnPage(): void {
    this.#printed = 0;
  }

  /** The text in a style, where there are colours. */
  style(style: Style, text: string): string {
    // Whether there are colours is decided once, above: later versions of Node would decide it again.
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /**
   * Shows a line.
   *
   * @param label What stands before it; where the terminal wraps it, before each of its rows.
   */
  line(text = "", label = ""): void {
    if (this.#clock) this.waiting();
    this.#print(this.isTerminal ? this.fold(text, label) : [label + text]);
  }

  /** Shows a paragraph in lines that fit. */
  paragraph(text: string): void {
    for (const line of this.wrap(text)) this.line(line);
  }

  /** @returns The rows that a paragraph takes. */
  wrap(text: string): string[] {
    return wrap(text, this.width).split("\n");
  }

  /**
   * @param label What stands before each row.
   * @returns The rows that a line takes in a terminal.
   */
  fold(text: string, label = ""): string[] {
    const room = this.columns - stringWidth(label);
    return wrap(text, room, { hard: true, trim: false })
      .split("\n")
      .map((row) => label + row);
  }

  /** Shows rows at the bottom, in place of those before, on a terminal. */
  board(rows: string[]): void {
    if (this.#clock) this.waiting();
    this.#board = rows;
    this.#print([]);
  }

  /** The rows of the board stay where they are, and it is empty again. */
  leaveBoard(): void {
    const rows = this.#board;
    this.#board = [];
    this.#print(rows);
  }

  /** Shows rows below the board, in place of those before, on a terminal. */
  prompt(rows: string[]): void {
    this.#prompt = rows.flatMap((row) => this.fold(row));
    this.#print([]);
  }

  /** From now on, on a terminal, something moves whenever nothing has come for a second. */
  waiting(): void {
    this.done();
    if (!this.isTerminal) return;
    const began = performance.now();
    this.#clock = setInterval(() => {
      const seconds = Math.round((performance.now() - began) / 1000);
      this.#time = [this.style("dim", `… ${seconds} s`)];
      this.#print([]);
    }, 1000).unref();
  }

  /** From now on nothing is awaited. */
  done(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    if (this.#time.length === 0) return;
    this.#time = [];
    this.#print([]);
  }

  #print(rows: string[]): void {
    this.#printed += rows.length;
    const bottom = this.isTerminal ? [...this.#board, ...this.#prompt, ...this.#time] : [];
    const up = this.#drawn > 1 ? `\x1b[${this.#drawn - 1}A` : "";
    // To the first of the rows at the bottom, and all from there on erased.
    const erase = this.#drawn > 0 ? `\r${up}\x1b[J` : "";
    const output = erase + rows.map((row) => `${row}\n`).join("") + bottom.join("\n");
    this.#drawn = bottom.length;
    // In one piece, so that nothing flickers.
    if (output !== "") this.#stream.write(output);
  }
}
