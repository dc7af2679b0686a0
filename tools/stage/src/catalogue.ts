import { readFileSync } from "node:fs";

/** A chapter of the catalogue, and the patterns in it. */
export interface Group {
  /** From 1 up, in the catalogue's order. */
  number: number;
  name: string;
  patterns: Pattern[];
}

export interface Pattern {
  /** The name of its folder in examples/. */
  name: string;
  /** When to use it. */
  use: string;
}

/**
 * Reads the catalogue, whose order is the order of teaching: in the root's README.md, the table in the section "The
 * patterns". A chapter begins with a row whose first cell is its number and its name, `**1. Basics**`. In each other row
 * the first cell links to the pattern, and the second says when to use it.
 *
 * @param path The root's README.md.
 * @returns Its chapters and their patterns, as they stand there.
 * @throws When the file can't be read, has no such table, or has a chapter without the number of its place.
 */
export function readCatalogue(path: string): Group[] {
  const [, section = ""] = readFileSync(path, "utf8").split(/^## The patterns$/m);
  const groups: Group[] = [];
  for (const line of section.split(/^## /m, 1).join().split("\n")) {
    const [, heading] = /^\| \*\*(.+?)\*\* *\|/.exec(line) ?? [];
    if (heading) groups.push(readHeading(heading, groups.length + 1, path));
    const [, name, use] = /^\| \[[^\]]+\]\(examples\/([\w-]+)\) *\| *(.*?) *\|/.exec(line) ?? [];
    if (name && use) groups.at(-1)?.patterns.push({ name, use });
  }
  if (groups.every(({ patterns }) => patterns.length === 0))
    throw new Error(`${path} has no table of patterns under "## The patterns".`);
  return groups;
}

function readHeading(heading: string, number: number, path: string): Group {
  const [, written, name] = /^(?:(\d+)\. )?(.+)$/.exec(heading) ?? [];
  if (name === undefined || Number(written) !== number)
    throw new Error(`${path}: the row **${heading}** begins chapter ${number}: **${number}. ${name}**.`);
  return { number, name, patterns: [] };
}
