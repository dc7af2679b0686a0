import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";
import type { Package } from "./packages.ts";
import type { Violation } from "./rules.ts";

/** What pnpm does by itself, of what the pages use. */
const PNPM = ["add", "create", "dlx", "exec", "install", "run", "-r"];

/** Scripts whose first words are patterns: `pnpm tour topics`. */
const OF_PATTERNS = ["tour", "live", "take"];

/** Scripts of the projects that `pnpm take` writes, and that pages show with it. */
const TAKEN = ["build"];

/**
 * Checks that each command of pnpm and npm on a page can be typed: its script, its package and its pattern are there.
 *
 * @param root The repository's folder.
 * @param packages All packages of the repository.
 */
export function checkCommands(root: string, packages: Package[]): Violation[] {
  const { scripts = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return pages(root, packages).flatMap((page) =>
    commands(readFileSync(join(root, page), "utf8")).flatMap(({ words, line }) => {
      const wrong = whatIsWrong(words, Object.keys(scripts), packages);
      return wrong === undefined ? [] : [{ what: `${page}:${line}: ${words.join(" ")}`, detail: wrong }];
    }),
  );
}

/** The pages that a reader follows: those at the root and in `docs`, and each package's. */
function pages(root: string, packages: Package[]): string[] {
  const inside = (folder: string) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder))
          .filter((name) => name.endsWith(".md") && name !== "CHANGELOG.md")
          .map((name) => join(folder, name))
      : [];
  return [".", "docs", ...packages.map(({ folder }) => folder)].flatMap(inside);
}

interface Command {
  words: string[];
  /** From 1. */
  line: number;
}

/** The commands in a page's code: in a sentence, in a block of shell, and after the `$` of a terminal. */
function commands(page: string): Command[] {
  const found: Command[] = [];
  const add = (code: string, line: number) => {
    for (const command of code.replace(/(^|\s)#.*/, "").split(/&&|;/)) {
      const words = command.trim().split(/\s+/);
      if (words[0] === "pnpm" || words[0] === "npm") found.push({ words, line });
    }
  };
  const visit = ({ type, value = "", lang, children = [], position }: Node) => {
    const line = position?.start.line ?? 0;
    if (type === "inlineCode") add(value, line);
    if (type === "code")
      for (const [index, text] of value.split("\n").entries()) {
        if (lang === "sh") add(text, line + 1 + index);
        else if (text.startsWith("$ ")) add(text.slice(2), line + 1 + index);
      }
    children.forEach(visit);
  };
  visit(fromMarkdown(page));
  return found;
}

interface Node {
  type: string;
  value?: string;
  lang?: string | null | undefined;
  children?: Node[];
  position?: { start: { line: number } } | undefined;
}

function whatIsWrong(
  [program, ...words]: string[],
  scripts: string[],
  packages: Package[],
): string | undefined {
  // What a reader puts in is in angle brackets.
  const isOpen = (word: string) => /^[<[…]/.test(word);
  if (program === "npm") {
    const [command = "", script = ""] = words;
    const name = command === "run" ? script : ["start", "test"].includes(command) ? command : undefined;
    return name === undefined || [...scripts, ...TAKEN].includes(name)
      ? undefined
      : `There is no script ${name}.`;
  }
  const filter = words[0] === "--filter" ? words[1] : /^--filter=(.*)/.exec(words[0] ?? "")?.[1];
  if (filter !== undefined) {
    const script = words[words[0] === "--filter" ? 2 : 1] ?? "";
    if (isOpen(filter)) return undefined;
    const chosen = packages.find(({ name }) => name === filter);
    if (!chosen) return `There is no package ${filter}.`;
    return isOpen(script) || PNPM.includes(script) || script in chosen.scripts
      ? undefined
      : `${filter} has no script ${script}.`;
  }
  const [script = "", ...rest] = words;
  // `pnpm live film` takes a pattern, too.
  const argument = (script === "live" && rest[0] === "film" ? rest[1] : rest[0]) ?? "";
  if (script === "" || isOpen(script) || PNPM.includes(script)) return undefined;
  if (!scripts.includes(script)) return `There is no script ${script}.`;
  const isPattern = packages.some(({ folder }) => folder === `examples/${argument}`);
  return !OF_PATTERNS.includes(script) || isPattern || isOpen(argument) || !/^\w/.test(argument)
    ? undefined
    : `There is no pattern ${argument}.`;
}
