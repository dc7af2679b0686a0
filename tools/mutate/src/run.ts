import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { type Mutation, mutate, mutationsOf } from "./mutations.ts";

/** A change, and what became of it. */
export interface MutationOutcome extends Mutation {
  file: string;
  outcome: "killed" | "survived";
}

export interface MutateOptions {
  /** How many changes are tried at most. Those that are tried are evenly over all. */
  most: number;
  /** Gives up, with the source as it was. */
  signal: AbortSignal;
  /** Hears of each outcome. */
  tell: (outcome: MutationOutcome, index: number, count: number) => void;
}

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

/**
 * Makes one change at a time in a package's `src`, runs the package's tests, and puts the file back.
 *
 * @param folder The package's folder.
 * @param options How many changes, and who hears of them.
 * @returns What became of each. A change has survived when all tests pass nevertheless.
 * @throws {Error} When the tests fail without any change.
 */
export async function run(folder: string, { most, signal, tell }: MutateOptions): Promise<MutationOutcome[]> {
  const began = performance.now();
  if (!(await pass(folder, undefined, signal))) {
    if (signal.aborted) return [];
    throw new Error("The tests fail before anything is changed.");
  }
  // ms; a change may well make a program wait for ever.
  const patience = Math.ceil(3 * (performance.now() - began));
  const all = sources(folder).flatMap((file) =>
    mutationsOf(file, readFileSync(file, "utf8")).map((mutation) => ({ ...mutation, file })),
  );
  const chosen = evenly(all, most);
  const outcomes: MutationOutcome[] = [];
  for (const [index, mutation] of chosen.entries()) {
    if (signal.aborted) break;
    const before = readFileSync(mutation.file, "utf8");
    writeFileSync(mutation.file, mutate(before, mutation));
    let survived: boolean;
    try {
      survived = await pass(folder, patience, signal);
    } finally {
      writeFileSync(mutation.file, before);
    }
    if (signal.aborted) break;
    const outcome: MutationOutcome = {
      ...mutation,
      file: relative(folder, mutation.file),
      outcome: survived ? "survived" : "killed",
    };
    outcomes.push(outcome);
    tell(outcome, index, chosen.length);
  }
  return outcomes;
}

/** So many of the items, at even distances. */
export const evenly = <Item>(items: Item[], most: number): Item[] =>
  items.length <= most
    ? items
    : Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)] as Item);

const sources = (folder: string): string[] =>
  readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => join(folder, "src", file));

/** Whether a package's tests pass, and within so many ms if there is a limit. */
function pass(folder: string, patience: number | undefined, signal: AbortSignal): Promise<boolean> {
  const tests = spawn(process.execPath, [vitest, "run", "--bail=1", "--reporter=dot"], {
    cwd: folder,
    stdio: "ignore",
    signal,
    killSignal: "SIGTERM",
  });
  tests.on("error", () => {});
  const late = patience && setTimeout(() => tests.kill(), patience);
  return new Promise((resolve) =>
    tests.once("close", (code) => {
      clearTimeout(late);
      resolve(code === 0);
    }),
  );
}
