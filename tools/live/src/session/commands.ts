import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "../protocol.ts";

/**
 * The scripts of a package that a learner can run: those that start node.
 *
 * @param folder The package's folder. One that is no package has none.
 * @returns Their names, each with node's arguments.
 */
export function scriptsOf(folder: string): Map<string, string[]> {
  if (!existsSync(join(folder, "package.json"))) return new Map();
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  return new Map(
    Object.entries(scripts).flatMap(([name, line]) => {
      const [program, ...args] = line.split(" ");
      return program === "node" ? [[name, args] as const] : [];
    }),
  );
}

/**
 * Takes a command of a README apart.
 *
 * @param command `pnpm --filter topics sub "kern.*"`
 * @returns The script's name, or that of another program, and its arguments as they stand there.
 */
export function readCommand(command: string): Pick<Terminal, "script" | "words" | "command"> {
  const [, script = command, words = ""] =
    /^(?:pnpm )?(?:--filter \S+ )?(?:run )?(\S+) ?(.*)$/s.exec(command) ?? [];
  return { script, words, command };
}

/** What a reader would type for a script and its arguments. */
export function commandOf(
  name: string,
  script: string,
  args: readonly string[],
): Pick<Terminal, "words" | "command"> {
  const words = args.map(quoted).join(" ");
  return { words, command: `pnpm --filter ${name} run ${script} ${words}`.trimEnd() };
}

/** As a shell would need it. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}
