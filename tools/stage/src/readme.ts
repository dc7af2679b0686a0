import { readFileSync } from "node:fs";
import { fromMarkdown } from "mdast-util-from-markdown";

/** A README: what it says, and what it lets the reader do. */
export interface Readme {
  path: string;
  title: string;
  /** Its first paragraph. */
  summary: string;
  /** Its first mermaid block. */
  diagram: Diagram | undefined;
  scenarios: Scenario[];
}

export interface Diagram {
  text: string;
  /** The line of the file that `text` begins in. */
  line: number;
}

/** A `##` section with `console` blocks, which play from top to bottom. */
export interface Scenario {
  heading: string;
  blocks: Block[];
}

/** A `console` block: one terminal. */
export interface Block {
  command: string;
  /** What the screen shows below the command. */
  lines: Line[];
  /** The paragraphs right above it, as plain text. */
  narration: string[];
  /** The line of the file that it begins in. */
  line: number;
}

export type Key = "^C" | "^\\";

export type Line =
  | { kind: "printed"; text: string }
  | { kind: "typed"; text: string }
  | { kind: "key"; text: Key };

/**
 * Reads a README and its scenarios.
 *
 * In a `console` block the first line is the command, after `$ `, and the rest is what the screen then shows:
 *
 * - `…` stands for any text within a line, and alone for any number of lines, also none;
 * - `> text` is typed by the user when everything above it has been printed;
 * - `^C` or `^\` alone is that key, pressed when everything above it has been printed.
 *
 * @param path The Markdown file.
 * @returns What it holds, in its order.
 * @throws When the file can't be read, or a `console` block can't be played: with file, line and reason.
 */
export function readReadme(path: string): Readme {
  const readme: Readme = { path, title: "", summary: "", diagram: undefined, scenarios: [] };
  let section: Scenario | undefined;
  let narration: string[] = [];

  for (const node of fromMarkdown(readFileSync(path, "utf8")).children) {
    const line = node.position?.start.line ?? 0;
    const above = narration;
    narration = [];
    if (node.type === "heading") {
      if (node.depth === 1) readme.title ||= plainText(node);
      if (node.depth === 2) section = { heading: plainText(node), blocks: [] };
    } else if (node.type === "paragraph") {
      const paragraph = plainText(node);
      readme.summary ||= paragraph;
      narration = [...above, paragraph];
    } else if (node.type === "code" && node.lang === "mermaid") {
      readme.diagram ??= { text: node.value, line: line + 1 };
    } else if (node.type === "code" && node.lang === "console") {
      if (!section) throw new Error(`${path}:${line}: A console block belongs under a ## heading.`);
      const [first = "", ...rest] = node.value.split("\n");
      if (!/^\$ \S/.test(first))
        throw new Error(`${path}:${line}: A console block begins with "$ " and a command.`);
      if (section.blocks.length === 0) readme.scenarios.push(section);
      section.blocks.push({ command: first.slice(2), lines: rest.map(readLine), narration: above, line });
    } else refuseHidden(node, path);
  }
  return readme;
}

type Node = ReturnType<typeof fromMarkdown>["children"][number] | { type: string; children?: unknown[] };

/** A block within a list or a quotation would look like all others, and never be played. */
function refuseHidden(node: Node, path: string): void {
  if (node.type === "code" && "lang" in node && node.lang === "console")
    throw new Error(
      `${path}:${node.position?.start.line}: A console block doesn't play inside a list or a quotation.`,
    );
  if ("children" in node) for (const child of node.children ?? []) refuseHidden(child as Node, path);
}

function readLine(text: string): Line {
  if (text === "^C" || text === "^\\") return { kind: "key", text };
  if (text.startsWith("> ")) return { kind: "typed", text: text.slice(2) };
  return { kind: "printed", text };
}

function plainText(node: Node): string {
  if ("value" in node) return node.value.replaceAll("\n", " ");
  if (!("children" in node)) return node.type === "break" ? " " : "";
  return (node.children ?? []).map((child) => plainText(child as Node)).join("");
}
