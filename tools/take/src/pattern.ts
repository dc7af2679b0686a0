import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "cli";
import { distance } from "fastest-levenshtein";
import { text } from "shared";
import { type Readme, readReadme } from "stage";

/** An example, as it is in this repository. */
export interface Pattern {
  name: string;
  folder: string;
  manifest: Manifest;
  readme: Readme;
}

export interface Manifest {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/**
 * Reads an example that can stand alone.
 *
 * @param root The repository's folder.
 * @param name Of the pattern.
 * @throws {UserError} When there is no such pattern, or it needs a tool or another example.
 */
export function readPattern(root: string, name: string): Pattern {
  const names = patternNames(root);
  if (!names.includes(name)) {
    const [nearest = ""] = names.toSorted((a, b) => distance(name, a) - distance(name, b));
    throw new UserError(`There is no pattern "${text(name)}". Did you mean ${nearest}?`);
  }
  const folder = join(root, "examples", name);
  const manifest = readManifest(folder);
  const readme = readReadme(join(folder, "README.md"));
  const needed = neededBy(name, manifest, readme);
  if (needed)
    throw new UserError(`${name} can't be taken: it needs ${needed}, which is part of this repository.`);
  return { name, folder, manifest, readme };
}

/**
 * Lists the patterns.
 *
 * @param root The repository's folder.
 */
export function patternNames(root: string): string[] {
  const folder = join(root, "examples");
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "package.json")));
}

/** Reads a package.json. */
export function readManifest(folder: string): Manifest {
  const {
    scripts = {},
    dependencies = {},
    devDependencies = {},
  } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { scripts, dependencies, devDependencies };
}

/** `node --import tsx src/sub.ts`, with more arguments or without. */
const PLAIN = /^node --import tsx src\/\S+\.ts( |$)/;

/** `pnpm --filter topics sub`, also with `run` before the script's name. */
const COMMAND = /\bpnpm --filter ([\w-]+) (?:run )?([\w-]+)/g;

/** What an example needs that stays in this repository: a tool, a command or another example. */
function neededBy(
  name: string,
  { scripts, dependencies }: Manifest,
  { scenarios }: Readme,
): string | undefined {
  const tool = Object.entries(dependencies).find(
    ([dependency, version]) => version.startsWith("workspace:") && dependency !== "shared",
  );
  if (tool) return tool[0];
  for (const { command } of scenarios.flatMap(({ blocks }) => blocks)) {
    const rest = command.replace(COMMAND, (whole, pattern: string, script: string) =>
      pattern === name && PLAIN.test(scripts[script] ?? "") ? "" : whole,
    );
    const foreign = /\bpnpm (?:--filter )?[\w-]+(?: [\w-]+)?/.exec(rest);
    if (foreign) return `\`${foreign[0]}\``;
  }
  return undefined;
}

/**
 * Rewrites commands for the new project: `pnpm --filter topics sub` becomes `node dist/sub.js`.
 *
 * @param content A page or a source file.
 */
export function rewriteCommands(content: string, { name, manifest }: Pattern): string {
  return content.replace(COMMAND, (whole, pattern: string, script: string) => {
    const command = manifest.scripts[script];
    if (pattern !== name || command === undefined || !PLAIN.test(command)) return whole;
    return command.replace("--import tsx ", "").replace(/\bsrc\/(\S+)\.ts\b/, "dist/$1.js");
  });
}
