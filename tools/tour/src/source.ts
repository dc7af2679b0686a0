import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceOf } from "stage";

/** The source of a script. */
export interface Source {
  /** Relative to the repository's root. */
  path: string;
  lines: string[];
}

/**
 * Finds the script that a command of a page runs.
 *
 * @param command `pnpm --filter topics sub "kern.*"`, also with something before it.
 * @param root The repository's root.
 * @returns `undefined` where it runs no script of an example, such as `curl` or `pnpm broker`.
 */
export function findSource(command: string, root: string): Source | undefined {
  const [, example, script = ""] = /\bpnpm --filter ([\w-]+) (?:run )?([\w-]+)/.exec(command) ?? [];
  if (example === undefined) return undefined;
  const manifest = readFileSync(join(root, "examples", example, "package.json"), "utf8");
  const file = sourceOf(JSON.parse(manifest).scripts[script] ?? "");
  if (file === undefined) return undefined;
  const path = `examples/${example}/${file}`;
  return { path, lines: readFileSync(join(root, path), "utf8").trimEnd().split("\n") };
}
