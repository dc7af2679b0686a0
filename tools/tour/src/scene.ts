import { text } from "shared";
import type { Block, Scenario, StageEvent } from "stage";
import { type Actor, cast, waits } from "./actors.ts";
import { columnWidth, sideBySide } from "./columns.ts";
import type { Screen } from "./screen.ts";

/** Rows below a board that belong to what is printed above it, and to the prompt. */
const MARGIN = 8;

/**
 * How the tour shows a scenario: each line with its terminal's label before it. Where the screen is wide enough,
 * terminals that wait stand side by side, with what they have printed since the last step.
 */
export class Scene {
  readonly #screen: Screen;
  readonly #actors: Map<Block, Actor>;
  /** Terminals that wait, with what they have printed since the last step. */
  readonly #open = new Map<Block, string[]>();
  readonly #ended = new Set<Block>();

  constructor(scenario: Scenario, screen: Screen) {
    this.#screen = screen;
    this.#actors = cast(scenario);
  }

  /** How many terminals wait. */
  get open(): number {
    return [...this.#open.keys()].filter((block) => !this.#ended.has(block)).length;
  }

  /** Shows what happens. */
  on(event: StageEvent): void {
    const { block } = event;
    if (event.type === "narration") {
      this.settle();
      this.#screen.line();
      this.#screen.paragraph(event.text);
    } else if (event.type === "opened") {
      this.#screen.line(this.#screen.style("bold", `$ ${block.command}`), this.#label(block));
      if (waits(block)) this.#open.set(block, []);
    } else if (event.type === "exited") this.#ended.add(block);
    else if (event.type === "line") this.#show(block, text(event.text));
    else
      this.#show(block, this.#screen.style("bold", event.type === "typed" ? `> ${event.text}` : event.key));
  }

  /** What stands side by side stays where it is, and the next lines begin below. */
  settle(): void {
    this.#screen.leaveBoard();
    for (const block of this.#open.keys()) this.#open.set(block, []);
    for (const block of this.#ended) this.#open.delete(block);
  }

  #show(block: Block, line: string): void {
    const screen = this.#screen;
    const width = screen.isTerminal ? columnWidth(this.#open.size, screen.columns) : undefined;
    const lines = this.#open.get(block);
    if (width === undefined || !lines) {
      screen.line(line, this.#label(block));
      return;
    }
    lines.push(line);
    const rows = this.#board(width);
    screen.board(rows);
    if (rows.length > screen.rows - MARGIN) this.settle();
  }

  /** Columns. Where only one terminal has printed anything they would be empty, and labels do. */
  #board(width: number): string[] {
    const printed = [...this.#open].filter(([, lines]) => lines.length > 0);
    const [only] = printed;
    if (only && printed.length === 1)
      return only[1].flatMap((line) => this.#screen.fold(line, this.#label(only[0])));
    const columns = [...this.#open].map(([block, lines]) => {
      const { label, style } = this.#actor(block);
      return { heading: this.#screen.style("bold", this.#screen.style(style, label.trimEnd())), lines };
    });
    return sideBySide(columns, width);
  }

  #label(block: Block): string {
    const { label, style } = this.#actor(block);
    return `${this.#screen.style(style, `${label} │`)} `;
  }

  #actor(block: Block): Actor {
    return this.#actors.get(block) as Actor;
  }
}
