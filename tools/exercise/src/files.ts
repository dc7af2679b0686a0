import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Edit, Exercise, WrongAnswer } from "./define.ts";

/** Which answer to an exercise: none yet, the right one, or a wrong one. */
export type State = "given" | "solution" | WrongAnswer;

/** Source files by their paths from the example's folder: `src/sub.ts`. */
export type Sources = Map<string, string>;

/**
 * Makes the sources of an example as one of its exercises has them.
 *
 * @param root The repository's folder.
 * @throws When an edit doesn't fit the example any more: with the file and the text.
 */
export function sourcesOf(root: string, exercise: Exercise, state: State): Sources {
  const sources = readSources(join(root, "examples", exercise.from));
  for (const edit of editsOf(exercise, state)) apply(edit, sources, exercise.from);
  return sources;
}

/**
 * Reads the source files of an example or of a copy.
 *
 * @param folder The folder that `src` is in.
 */
export function readSources(folder: string): Sources {
  const paths = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `src/${path.replaceAll("\\", "/")}`)
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/**
 * Writes sources into a folder, and deletes first what was there.
 *
 * @param folder Where to. Node must find the example's dependencies from there.
 */
export function writeSources(sources: Sources, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, content] of sources) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A short name for exactly these sources. */
export const digest = (sources: Sources): string =>
  createHash("sha256")
    .update(JSON.stringify([...sources]))
    .digest("hex")
    .slice(0, 16);

function editsOf(exercise: Exercise, state: State): Edit[] {
  if (state === "given") return exercise.given;
  if (state === "solution") return exercise.solution ?? [];
  return [...editsOf(exercise, state.on), ...state.edits];
}

function apply({ file, find, replace }: Edit, sources: Sources, example: string): void {
  const pieces = sources.get(file)?.split(find) ?? [];
  if (pieces.length !== 2)
    throw new Error(
      `An edit of the exercise no longer fits examples/${example}/${file}. This must occur in it once, and occurs ` +
        `${Math.max(pieces.length - 1, 0)} times:\n${find}`,
    );
  sources.set(file, pieces.join(replace));
}
