import { readFileSync } from "node:fs";

/** A heading in the catalogue, and the patterns under it. */
export interface Group {
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
 * a table under each `###` heading. A row's first cell links to the pattern, its second says when to use it.
 *
 * @param path The root's README.md.
 * @returns Its groups and their patterns, as they stand there.
 * @throws When the file can't be read, or has no such table.
 */
export function readCatalogue(path: string): Group[] {
  const [, section = ""] = readFileSync(path, "utf8").split(/^## The patterns$/m);
  const groups: Group[] = [];
  for (const line of section.split(/^## /m, 1).join().split("\n")) {
    const [, heading] = /^### (.+)$/.exec(line) ?? [];
    if (heading) groups.push({ name: heading, patterns: [] });
    const [, name, use] = /^\| \[[^\]]+\]\(examples\/([\w-]+)\) *\| *(.*?) *\|/.exec(line) ?? [];
    if (name && use) groups.at(-1)?.patterns.push({ name, use });
  }
  if (groups.every(({ patterns }) => patterns.length === 0))
    throw new Error(`${path} has no table of patterns under "## The patterns".`);
  return groups;
}
