import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readCatalogue } from "stage";
import type { Exercise } from "./define.ts";

/** An exercise before it is loaded. */
export interface Found {
  /** The name of its folder in exercises/: its example's, and a number. */
  id: string;
  /** Its chapter's number and its own in it: "1.3". */
  number: string;
  /** Its chapter in the catalogue: "1. Basics". */
  chapter: string;
  /** The example's folder in examples/. */
  from: string;
  /** The folder itself. */
  folder: string;
  /** Reads its exercise.ts. */
  load(): Promise<Exercise>;
}

/**
 * Finds the exercises, in the order of the catalogue.
 *
 * @param root The repository's folder.
 */
export function findExercises(root: string): Found[] {
  const folders = readdirSync(join(root, "exercises")).filter((name) =>
    existsSync(join(root, "exercises", name, "exercise.ts")),
  );
  return readCatalogue(join(root, "README.md")).flatMap(({ number, name: chapter, patterns }) =>
    patterns
      .flatMap(({ name: from }) =>
        folders
          .filter((id) => id.replace(/-\d+$/, "") === from)
          .sort()
          .map((id) => ({ id, from })),
      )
      .map(({ id, from }, position) => {
        const folder = join(root, "exercises", id);
        return {
          id,
          number: `${number}.${position + 1}`,
          chapter: `${number}. ${chapter}`,
          from,
          folder,
          load: async () => (await import(pathToFileURL(join(folder, "exercise.ts")).href)).default,
        };
      }),
  );
}

/**
 * Reads what an exercise asks for.
 *
 * @param folder The exercise's.
 * @returns Its title, and the rest as Markdown.
 */
export function readTask(folder: string): { title: string; text: string } {
  const [heading = "", ...rest] = readFileSync(join(folder, "task.md"), "utf8").split("\n");
  return { title: heading.replace(/^# /, ""), text: rest.join("\n").trim() };
}

/**
 * Reads an exercise's hints.
 *
 * @param folder The exercise's.
 * @returns Each as Markdown, the most general first.
 */
export function readHints(folder: string): string[] {
  return readFileSync(join(folder, "hints.md"), "utf8")
    .split(/^---$/m)
    .map((hint) => hint.trim());
}
