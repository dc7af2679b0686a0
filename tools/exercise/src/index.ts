export { type Found, findExercises, readHints, readTask } from "./catalogue.ts";
export { type CheckOptions, check, type Verdict } from "./check.ts";
export {
  type Check,
  type Edit,
  type Exercise,
  exercise,
  Miss,
  type Patience,
  type RunOptions,
  type WrongAnswer,
} from "./define.ts";
export { type Sources, type State, sourcesOf, writeSources } from "./files.ts";
export type { Program } from "./program.ts";
