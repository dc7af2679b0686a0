import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "cli";
import { text } from "shared";
import type { Files } from "./sources.ts";

/**
 * Checks that a project can be written to a folder.
 *
 * @throws {UserError} When it is a file, or holds something.
 */
export function checkFolder(folder: string): void {
  if (!existsSync(folder)) return;
  const isFolder = statSync(folder).isDirectory();
  if (isFolder && readdirSync(folder).length === 0) return;
  throw new UserError(
    `${text(folder)} is ${isFolder ? "not empty" : "a file"}. Name a new or an empty folder.`,
  );
}

/**
 * Writes a project.
 *
 * @param folder A new one or an empty one.
 * @param files Their contents, by their paths in it.
 * @throws {UserError} When a file can't be written. Everything is as before then.
 */
export function writeFiles(folder: string, files: Files): void {
  const wasThere = existsSync(folder);
  let made: string | undefined;
  try {
    // The first folder that did not exist.
    made = mkdirSync(folder, { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  } catch (error) {
    const left = wasThere ? readdirSync(folder).map((name) => join(folder, name)) : made ? [made] : [];
    for (const path of left) rmSync(path, { recursive: true, force: true });
    throw new UserError(`${text(folder)} can't be written: ${text((error as Error).message)}.`);
  }
}
