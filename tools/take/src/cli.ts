// pnpm take: writes a pattern as a project of its own.
import { basename, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine, UsageError, UserError } from "cli";
import { text } from "shared";
import { checkFolder, writeFiles } from "./folder.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import { makeProject } from "./project.ts";

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  // pnpm runs this in the repository's folder, and tells it where its user is.
  const here = process.env.INIT_CWD ?? process.cwd();
  const read = parse(args);
  if (typeof read === "number") return read;
  const { name, folder } = read;
  try {
    const pattern = readPattern(root, name);
    const target = resolve(here, folder);
    checkFolder(target);
    writeFiles(target, makeProject(root, pattern, projectName(target, pattern)));
    console.log(`${name} is a project of its own now. To try it:

  cd ${quoted(relative(here, target) || ".")}
  npm install
  npm run build
  npm test`);
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 2;
  }
}

function parse(args: string[]): { name: string; folder: string } | number {
  return readCommandLine(
    args,
    {
      name: "pnpm take",
      words: "<pattern> <folder>",
      about: "Writes a pattern as a project of its own, into a new or an empty folder.",
      options: {},
      more: "Example: pnpm take topics ../my-service",
    },
    (_, [name, folder, ...more]) => {
      if (name === undefined) throw new UsageError("Which pattern?");
      if (!folder) throw new UsageError("Into which folder?");
      if (more.length > 0) throw new UsageError("One pattern and one folder at a time.");
      return { name, folder };
    },
  );
}

/** The folder's name, where npm accepts it for a package that has these dependencies. */
function projectName(folder: string, { name, manifest }: Pattern): string {
  const wanted = basename(folder).toLowerCase();
  return /^[a-z0-9][a-z0-9._-]{0,99}$/.test(wanted) && !(wanted in manifest.dependencies) ? wanted : name;
}

function quoted(path: string): string {
  const shown = text(path);
  return /^[\w./\\:-]+$/.test(shown) ? shown : `"${shown}"`;
}
