// pnpm new: begins a new example as a copy of hello that passes its test.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine, UsageError, UserError } from "cli";
import { checkName, makeRoom } from "./room.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  const read = parse(args);
  if (typeof read === "number") return read;
  const { name } = read;
  try {
    checkName(root, name);
    write(name, makeRoom(root, name));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 1;
  }
  console.log(`examples/${name} is there, and passes:  pnpm test ${name}

Now make it yours:
  1. Change src/, test/ and README.md together. "TODO" in README.md marks what only you can write.
  2. Add a row to its chapter of the table in README.md, section "The patterns". Its order is the tour's.
  3. Add an exercise: exercises/README.md says how.
  4. pnpm fix && pnpm check

CONTRIBUTING.md has the rules.`);
  return 0;
}

function parse(args: string[]): { name: string } | number {
  return readCommandLine(
    args,
    {
      name: "pnpm new",
      words: "<pattern>",
      about: `Begins a new example in examples/<pattern>: a page that is a scenario with a diagram, two scripts, a topology and a
test. It is a copy of hello with another queue, and passes pnpm test <pattern> and pnpm check as it is.`,
      options: {},
      more: "Example: pnpm new claim-check",
    },
    (_, [name, ...more]) => {
      if (name === undefined) throw new UsageError("Which pattern?");
      if (more.length > 0) throw new UsageError("One pattern at a time.");
      return { name };
    },
  );
}

/** Writes the files, formats them, and adds the new package to the lockfile. Leaves nothing behind if one fails. */
function write(name: string, files: Record<string, string>): void {
  const folder = join(root, "examples", name);
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    // A longer name may need other line breaks.
    run("pnpm", ["exec", "biome", "check", "--write", "--log-level=error", `examples/${name}`]);
    run("pnpm", ["install", "--no-frozen-lockfile"]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function run(program: string, args: string[]): void {
  // On Windows pnpm is a .cmd file, which only a shell runs. No argument here needs quotes.
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (error || status !== 0)
    throw new UserError(
      `${program} ${args.join(" ")} failed. ${error?.message ?? `${stdout}${stderr}`.trim()}`,
    );
}
