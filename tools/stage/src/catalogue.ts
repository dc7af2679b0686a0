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
 * Reads the catalogue, whose order is the order of teaching: in the root's README.md, the section "The patterns" with
 * a table under each heading, such as `### 1. Basics`. A row's first cell links to the pattern, its second says when to
 * use it.
 *
 * @param path The root's README.md.
 * @returns Its chapters and their patterns, as they stand there.
 * @throws When the file can't be read, has no such table, or has a chapter without the number of its place.
 */
export function readCatalogue(path: string): Group[] {
  const [, section = ""] = readFileSync(path, "utf8").split(/^## The patterns$/m);
  const groups: Group[] = [];
  for (const line of section.split(/^## /m, 1).join().split("\n")) {
    if (line.startsWith("### ")) groups.push(readHeading(line, groups.length + 1, path));
    const [, name, use] = /^\| \[[^\]]+\]\(examples\/([\w-]+)\) *\| *(.*?) *\|/.exec(line) ?? [];
    if (name && use) groups.at(-1)?.patterns.push({ name, use });
  }
  if (groups.every(({ patterns }) => patterns.length === 0))
    throw new Error(`${path} has no table of patterns under "## The patterns".`);
  return groups;
}

function readHeading(line: string, number: number, path: string): Group {
  const [, written, name] = /^### (?:(\d+)\. )?(.+)$/.exec(line) ?? [];
  if (name === undefined || Number(written) !== number)
    throw new Error(`${path}: the heading "${line}" belongs to chapter ${number}: "### ${number}. ${name}".`);
  return { number, name, patterns: [] };
}
