import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Found } from "./catalogue.ts";
import type { Exercise } from "./define.ts";
import { digest, readSources, type Sources, sourcesOf, writeSources } from "./files.ts";

interface Progress {
  /** When each exercise was solved. */
  solved: Record<string, string>;
  /** The digest of what each copy was at first. */
  begun: Record<string, string>;
}

/** Whether a copy is still one of the example as it is: see `Desk.begin`. */
export type Copy = "new" | "current" | "outdated";

/** What the learner has done so far: copies of the exercises to work on, and progress. Git ignores it all. */
export class Desk {
  readonly #root: string;
  readonly #mine: string;
  #progress: Progress;

  /** @param root The repository's folder. */
  constructor(root: string) {
    this.#root = root;
    this.#mine = join(root, "exercises/mine");
    this.#progress = readProgress(join(this.#mine, "progress.json"));
  }

  /** Where the learner's copy of an exercise is, or will be. */
  folder = ({ id }: Found): string => join(this.#mine, id);

  /** The same as a learner types it, from the repository's folder. */
  path = (found: Found, file = ""): string => relative(this.#root, join(this.folder(found), file));

  hasBegun = (found: Found): boolean => existsSync(join(this.folder(found), "src"));

  isSolved = ({ id }: Found): boolean => id in this.#progress.solved;

  /** Notes that an exercise is solved. */
  solve({ id }: Found): void {
    this.#progress.solved[id] ??= new Date().toISOString();
    this.#save();
  }

  /**
   * Makes the copy of an exercise that the learner works on, if there is none.
   *
   * @returns Whether it is new, and otherwise whether the example has changed since it was made.
   */
  begin(found: Found, exercise: Exercise): Copy {
    const given = sourcesOf(this.#root, exercise, "given");
    if (this.hasBegun(found))
      return this.#progress.begun[found.id] === digest(given) ? "current" : "outdated";
    writeSources(given, this.folder(found));
    this.#progress.begun[found.id] = digest(given);
    this.#save();
    return "new";
  }

  /** Reads the copy. */
  read = (found: Found): Sources => readSources(this.folder(found));

  /**
   * Has an exercise begin again: it isn't solved, and has no copy. A copy that the learner has changed is put aside.
   *
   * @returns Where that is now, from the repository's folder.
   */
  reset(found: Found): string | undefined {
    let kept: string | undefined;
    if (this.hasBegun(found)) {
      if (digest(this.read(found)) === this.#progress.begun[found.id])
        rmSync(this.folder(found), { recursive: true });
      else {
        let number = 1;
        while (existsSync(`${this.folder(found)}.${number}`)) number++;
        kept = `${this.folder(found)}.${number}`;
        renameSync(this.folder(found), kept);
      }
    }
    delete this.#progress.solved[found.id];
    delete this.#progress.begun[found.id];
    this.#save();
    return kept && relative(this.#root, kept);
  }

  #save(): void {
    mkdirSync(this.#mine, { recursive: true });
    writeFileSync(join(this.#mine, "progress.json"), `${JSON.stringify(this.#progress, undefined, 2)}\n`);
    // Editors know by it that imports end with .ts here.
    const compilerOptions = join(this.#mine, "tsconfig.json");
    if (!existsSync(compilerOptions))
      writeFileSync(
        compilerOptions,
        `${JSON.stringify({ extends: "../../tsconfig.json", include: ["."], exclude: ["**/built"] }, undefined, 2)}\n`,
      );
  }
}

/** A file that is missing, or that isn't what was written, is no progress. */
function readProgress(file: string): Progress {
  let read: Partial<Progress> | null = null;
  try {
    read = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // As if there were none.
  }
  return { solved: { ...read?.solved }, begun: { ...read?.begun } };
}
