import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Package } from "./packages.ts";

/** A rule that a file breaks. */
export interface Violation {
  /** The file and the rule. */
  what: string;
  /** By how much, or what to do instead. */
  detail: string;
}

/** Tools that other tools may use, from the bottom up. Each may use those before it, and any other tool all of them. */
const FOUNDATIONS = ["shared", "cli", "broker", "kafka", "wire", "look", "stage", "exercise", "testkit"];

/** Lines of a script that plays a role, such as `pub` or `worker`: one screen. */
const ROLE_LINES = 40;

/** Lines of an example's README: a screen and a half of lesson, and the scenario. */
const README_LINES = 150;

/**
 * Checks what may depend on what. Biome compares the imports with the package.json, so this only reads the latter.
 *
 * @param packages All packages of the repository.
 * @returns What breaks the rules: an example needs no package of the repository but `shared`; `shared` needs none; a
 * tool needs only those of the foundations that are below it.
 */
export function checkDependencies(packages: Package[]): Violation[] {
  return packages.flatMap(({ folder, name, dependencies }) => {
    const allowed = folder.startsWith("examples/") ? ["shared"] : below(name);
    return dependencies
      .filter((dependency) => !allowed.includes(dependency))
      .map((dependency) => ({
        what: `${folder} depends on ${dependency}`,
        detail:
          allowed.length > 0 ? `Here it may depend on ${allowed.join(", ")}.` : "It may depend on none.",
      }));
  });
}

function below(name: string): string[] {
  const index = FOUNDATIONS.indexOf(name);
  return index < 0 ? FOUNDATIONS : FOUNDATIONS.slice(0, index);
}

/**
 * Checks that the scripts of the examples run on Linux, macOS and Windows, and run only what is in their own folder.
 *
 * @param packages All packages of the repository.
 */
export function checkScripts(packages: Package[]): Violation[] {
  return examples(packages).flatMap(({ folder, scripts }) =>
    Object.entries(scripts).flatMap(([script, command]) => {
      const violations: Violation[] = [];
      if (command.includes(".."))
        violations.push({ what: `${folder}: script ${script} leaves its folder`, detail: command });
      if (/[&|;<>$%`'"*^~()]|^\w+=/.test(command))
        violations.push({ what: `${folder}: script ${script} needs a shell`, detail: command });
      return violations;
    }),
  );
}

/**
 * Checks that what a reader opens first is short: a script that a package.json names, and an example's README.
 *
 * @param root The repository's folder.
 * @param packages All packages of the repository.
 */
export function checkLengths(root: string, packages: Package[]): Violation[] {
  return examples(packages).flatMap(({ folder, scripts }) => {
    const roles = Object.values(scripts).flatMap((command) => command.match(/(?<= )src\/\S+\.ts\b/g) ?? []);
    return [
      ...[...new Set(roles)].map((role) => ({ file: `${folder}/${role}`, most: ROLE_LINES })),
      { file: `${folder}/README.md`, most: README_LINES },
    ].flatMap(({ file, most }) => {
      if (!existsSync(join(root, file))) return [{ what: `${file} does not exist`, detail: "" }];
      const lines = readFileSync(join(root, file), "utf8").trimEnd().split("\n").length;
      return lines > most
        ? [{ what: `${file} is longer than ${most} lines`, detail: `It has ${lines}.` }]
        : [];
    });
  });
}

/**
 * Checks that GitHub's workflows pin each action by its commit, with its version as a comment. A tag can be moved.
 *
 * @param root The repository's folder.
 */
export function checkActions(root: string): Violation[] {
  const folder = ".github/workflows";
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).flatMap((name) =>
    [...readFileSync(join(root, folder, name), "utf8").matchAll(/\buses: (?!\.\/)(.*)/g)]
      .filter(([, action = ""]) => !/@[0-9a-f]{40} # v\d/.test(action))
      .map(([, action]) => ({
        what: `${folder}/${name}: ${action} is not pinned`,
        detail: "Write the commit, and the version as a comment: owner/name@<40 hex digits> # v1.2.3",
      })),
  );
}

function examples(packages: Package[]): Package[] {
  return packages.filter(({ folder }) => folder.startsWith("examples/"));
}
