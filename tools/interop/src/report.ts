import { text } from "shared";
import type { Check } from "./checks.ts";
import type { Cell } from "./matrix.ts";
import type { RefusedDeclaration } from "./refusals.ts";

/** What a run has found. */
export interface InteropResults {
  /** "ours", then the peers. Each publishes and each consumes. */
  names: string[];
  /** By who publishes, then by who consumes. */
  matrix: Cell[][];
  /** By the name of a peer. */
  checks: Map<string, Check[]>;
  refusals: RefusedDeclaration[];
}

const all = [1, 2, 3, 4, 5, 6, 7];

/** Whether nothing failed. */
export function isWell({ matrix, checks, refusals }: InteropResults): boolean {
  return (
    matrix.flat().every(({ failures }) => failures.size === 0) &&
    [...[...checks.values()].flat(), ...refusals].every(({ failure }) => failure === undefined)
  );
}

/** The results as two tables: rows of cells, and first those of the header. */
export function tables({ names, matrix, checks }: InteropResults): [talk: string[][], beside: string[][]] {
  const rows = matrix.map((cells, index) => [
    `**${names[index]}**`,
    ...cells.map(({ failures }) => ranges(all.filter((number) => !failures.has(number)))),
  ]);
  const peers = [...checks.keys()];
  const checkNames = [...new Set([...checks.values()].flat().map(({ name }) => name))];
  const find = (peer: string, name: string) => checks.get(peer)?.find((check) => check.name === name);
  const mark = (check: Check | undefined) => (check ? (check.failure === undefined ? "yes" : "NO") : "");
  return [
    [["", ...names.map((name) => `**${name}**`)], ...rows],
    [
      ["", ...peers.map((peer) => `**${peer}**`)],
      ...checkNames.map((name) => [name, ...peers.map((peer) => mark(find(peer, name)))]),
    ],
  ];
}

/** The results as Markdown: two tables and two lists. */
export function report(results: InteropResults): string {
  const { names, matrix, checks, refusals } = results;
  const [talk, beside] = tables(results);
  const failures = [
    ...matrix.flatMap((cells, from) => failuresOf(names[from] ?? "", cells, names)),
    ...[...checks].flatMap(([peer, all]) =>
      all.flatMap(({ name, failure }) => (failure === undefined ? [] : [`${peer}, ${name}: ${failure}`])),
    ),
    ...refusals.flatMap(({ situation, failure }) =>
      failure === undefined ? [] : [`${situation}: ${failure}`],
    ),
  ];
  return [
    "The tutorials that work, by who publishes or calls (rows) and who consumes or serves (columns):",
    markdown(talk),
    "Beside that:",
    markdown(beside),
    "Refused by design:",
    refusals.map(({ situation, sentence }) => `- ${situation}:\n  \`${text(sentence)}\``).join("\n"),
    ...(failures.length > 0 ? ["Failed:", failures.map((line) => `- ${text(line)}`).join("\n")] : []),
  ].join("\n\n");
}

/** What failed of what one side published, in lines. What failed alike is in one. */
function failuresOf(from: string, cells: Cell[], names: string[]): string[] {
  const found = new Map<string, { tutorials: Set<number>; to: Set<string> }>();
  for (const [index, { failures }] of cells.entries())
    for (const [number, why] of failures) {
      const alike = found.get(why) ?? { tutorials: new Set(), to: new Set() };
      found.set(why, alike);
      alike.tutorials.add(number);
      alike.to.add(names[index] ?? "");
    }
  return [...found].map(
    ([why, { tutorials, to }]) =>
      `Tutorial${tutorials.size > 1 ? "s" : ""} ${ranges([...tutorials].sort())}, ${from} to ${[...to].join(", ")}: ${why}`,
  );
}

/**
 * Numbers, shortened.
 *
 * @param numbers In ascending order.
 * @returns "1–5, 7"
 */
function ranges(numbers: number[]): string {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = found.at(-1);
    if (range?.[1] === number - 1) range[1] = number;
    else found.push([number, number]);
  }
  return (
    found.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ") || "none"
  );
}

function markdown([header = [], ...rows]: string[][]): string {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
