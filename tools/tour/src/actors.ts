import { type Block, READY, type Scenario } from "stage";
import type { Style } from "./screen.ts";

/** How the tour shows a terminal: what stands before each of its lines. */
export interface Actor {
  label: string;
  style: Style;
}

// Red is for differences.
const styles: Style[] = ["cyan", "magenta", "yellow", "green", "blue"];

/** In characters. Of longer command lines, and of those that end by themselves, the script's name will do. */
const LONGEST = 24;

/**
 * Gives each terminal of a scenario a label, from what its user types, and a colour. Those that are the same program
 * in the same role look the same, unless they wait side by side: then they have numbers.
 *
 * @returns The actors by their blocks, with labels of the same width.
 */
export function cast({ blocks }: Scenario): Map<Block, Actor> {
  const labels = blocks.map((block) => {
    const words = block.command.replace(/^pnpm --filter \S+ /, "");
    return waits(block) && words.length <= LONGEST ? words : (words.split(" ")[0] ?? words).slice(0, LONGEST);
  });
  const numbered = blocks.map((block, index) => {
    const alike = blocks.filter((other, at) => waits(other) && labels[at] === labels[index]);
    return waits(block) && alike.length > 1 ? `${labels[index]} ${alike.indexOf(block) + 1}` : labels[index];
  }) as string[];
  const width = Math.max(...numbered.map((label) => label.length));
  const different = [...new Set(numbered)];
  return new Map(
    blocks.map((block, index) => {
      const label = numbered[index] as string;
      return [
        block,
        { label: label.padEnd(width), style: styles[different.indexOf(label) % styles.length] as Style },
      ];
    }),
  );
}

/** Whether a block's program prints a line of readiness, and so stays open. */
export const waits = ({ lines }: Block): boolean =>
  lines.some(({ kind, text }) => kind === "printed" && READY.test(text));
