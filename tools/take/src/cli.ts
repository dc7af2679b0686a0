// pnpm take: writes a pattern as a project of its own.
import { basename, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cac } from "cac";
import { text } from "shared";
import { checkFolder, writeFiles } from "./folder.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import { makeProject } from "./project.ts";
import { Refusal } from "./refusal.ts";

const USAGE = "Usage: pnpm take <pattern> <folder>";

process.exitCode = main(process.argv);

function main(argv: string[]): number {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  // pnpm runs this in the repository's folder, and tells it where its user is.
  const here = process.env.INIT_CWD ?? process.cwd();
  try {
    const words = parse(argv);
    if (!words) return 0;
    const [name, folder] = words;
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
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    return 2;
  }
}

/** @returns The pattern and the folder, or `undefined` when the help has been printed. */
function parse(argv: string[]): [string, string] | undefined {
  const cli = cac("pnpm take")
    .usage("<pattern> <folder>")
    .example("pnpm take topics ../my-service")
    .help((sections) => [
      { body: "Writes a pattern as a project of its own, into a new or an empty folder." },
      ...sections.slice(1),
    ]);
  const { options, args } = cli.parse(argv);
  if (options.help) return undefined;
  try {
    cli.globalCommand.checkUnknownOptions();
  } catch (error) {
    throw new Refusal(`${text((error as Error).message)}. ${USAGE}`);
  }
  const [name, folder, ...more] = args;
  if (name === undefined) throw new Refusal(`Which pattern? ${USAGE}`);
  if (!folder) throw new Refusal(`Into which folder? ${USAGE}`);
  if (more.length > 0) throw new Refusal(`One pattern and one folder at a time. ${USAGE}`);
  return [name, folder];
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
