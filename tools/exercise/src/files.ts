import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Edit, Exercise, WrongAnswer } from "./define.ts";

/** Which answer to an exercise: none yet, the right one, or a wrong one. */
export type State = "given" | "solution" | WrongAnswer;

/**
 * Writes the sources of an example as one of its exercises has them. What was in the folder is deleted first.
 *
 * @param root The repository's folder.
 * @param exercise The exercise.
 * @param state Which answer.
 * @param folder Where to: its sources are in `src` then. Node must find the example's dependencies from there.
 * @throws When an edit doesn't fit the example any more: with the example, the file and the text.
 */
export function writeState(root: string, exercise: Exercise, state: State, folder: string): void {
  const example = join(root, "examples", exercise.from);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(example, "src"), join(folder, "src"), { recursive: true });
  for (const edit of editsOf(exercise, state)) apply(edit, exercise.from, folder);
}

function editsOf(exercise: Exercise, state: State): Edit[] {
  if (state === "given") return exercise.given;
  if (state === "solution") return exercise.solution ?? [];
  return [...editsOf(exercise, state.on), ...state.edits];
}

function apply({ file, find, replace }: Edit, example: string, folder: string): void {
  const path = join(folder, file);
  const pieces = readFileSync(path, "utf8").split(find);
  if (pieces.length !== 2)
    throw new Error(
      `An edit of an exercise no longer fits examples/${example}/${file}. This must occur in it once, and occurs ` +
        `${pieces.length - 1} times:\n${find}`,
    );
  writeFileSync(path, pieces.join(replace));
}
