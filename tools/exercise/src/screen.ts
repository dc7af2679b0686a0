import { styleText } from "node:util";
import { structuredPatch } from "diff";
import wrap from "wrap-ansi";
import type { Sources } from "./files.ts";

export type Style = Parameters<typeof styleText>[0];

/** Where the exercises are shown: a terminal, or a file that gets the same without colours. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #colours: boolean;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const { FORCE_COLOR } = process.env;
    // hasColors knows NO_COLOR and terminals without colours.
    this.#colours = FORCE_COLOR ? FORCE_COLOR !== "0" : stream.isTTY && stream.hasColors();
  }

  /** In characters. */
  get width(): number {
    return Math.min(this.#stream.columns || 100, 100);
  }

  /** In lines. */
  get height(): number {
    return this.#stream.rows || 24;
  }

  /**
   * Tells when the terminal has another size.
   *
   * @returns Ends that.
   */
  onResize(listener: () => void): () => void {
    this.#stream.on("resize", listener);
    return () => this.#stream.off("resize", listener);
  }

  /** The text in a style, where there are colours. */
  style(style: Style, text: string): string {
    // Whether there are colours is decided once, above: later versions of Node would decide it again.
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Cuts a text into lines that fit. */
  wrap(text: string, indent = ""): string[] {
    return wrap(text, this.width - indent.length)
      .split("\n")
      .map((line) => `${indent}${line}`.trimEnd());
  }

  /** Shows lines. */
  print(lines: string[]): void {
    this.#stream.write(`${lines.join("\n")}\n`);
  }

  /** Shows these lines and nothing else. The last one isn't ended, so that they may fill the screen. */
  paint(lines: string[]): void {
    // Erases the screen, and goes to its first place.
    this.#stream.write(`\x1b[2J\x1b[H${lines.join("\n")}`);
  }

  /**
   * Makes Markdown readable in a terminal: paragraphs in lines that fit, commands as they are.
   *
   * @param place What the path of a link is in the repository.
   */
  markdown(text: string, place: (path: string) => string): string[] {
    return text.split("\n\n").flatMap((block, index) => {
      const [, code] = /^```\w*\n(.*?)\n?```$/s.exec(block) ?? [];
      const lines =
        code === undefined
          ? this.wrap(this.#inline(block.replaceAll("\n", " "), place))
          : code.split("\n").map((line) => `  ${this.style("cyan", line)}`);
      return index > 0 ? ["", ...lines] : lines;
    });
  }

  #inline(text: string, place: (path: string) => string): string {
    return text
      .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, words: string, path: string) => `${words} (${place(path)})`)
      .replace(/`([^`]+)`/g, (_, code: string) => this.style("cyan", this.#colours ? code : `\`${code}\``));
  }

  /**
   * Shows how two states of the same files differ.
   *
   * @returns No line when they don't.
   */
  difference(before: Sources, after: Sources): string[] {
    return [...after].flatMap(([path, content]) => {
      const { hunks } = structuredPatch(path, path, before.get(path) ?? "", content, "", "", { context: 2 });
      if (hunks.length === 0) return [];
      return [
        this.style("underline", path),
        ...hunks.flatMap(({ lines }, index) => [
          ...(index > 0 ? [this.style("dim", "  …")] : []),
          ...lines.map((line) => {
            const style = line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : "dim";
            return this.style(style, `${line[0]} ${line.slice(1)}`.trimEnd());
          }),
        ]),
      ];
    });
  }
}
