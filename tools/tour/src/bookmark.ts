import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a reader was in a tour. */
export interface Bookmark {
  /** What the tour plays, in this order. */
  patterns: string[];
  /** The pattern that the reader was at. */
  pattern: string;
  /** The step of its page that came next, from 0. */
  step: number;
}

/** Git ignores it. It lies in the repository, so that each clone has its own, and it goes with it. */
const FILE = ".tour.json";

/**
 * @param root The repository's root.
 * @returns `undefined` when no tour was left before its end, or the file says nothing that makes sense.
 */
export function readBookmark(root: string): Bookmark | undefined {
  try {
    const { patterns, pattern, step } = JSON.parse(readFileSync(join(root, FILE), "utf8"));
    const makesSense =
      Array.isArray(patterns) && patterns.includes(pattern) && Number.isSafeInteger(step) && step >= 0;
    return makesSense ? { patterns, pattern, step } : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a bookmark in place of the one before. */
export function writeBookmark(root: string, bookmark: Bookmark): void {
  writeFileSync(join(root, FILE), `${JSON.stringify(bookmark)}\n`);
}

/** The tour has reached its end. */
export function removeBookmark(root: string): void {
  rmSync(join(root, FILE), { force: true });
}
