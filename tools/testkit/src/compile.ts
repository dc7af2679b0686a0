import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";

const compiled = new Map<string, string>();

/**
 * Makes one JavaScript file of a script and of what it imports from this repository, so that tests start it with `node`
 * alone. Its loader, tsx, takes three times as much CPU time as all else that a script does, and tests start hundreds.
 *
 * @param source The script, from the package's folder: `src/pub.ts`.
 * @returns The file, in a folder beside the script's, so that relative URLs lead to the same places. `undefined` for a
 *   tool's script, since other tools look for files beside their own.
 */
export function compile(source: string): string | undefined {
  const before = compiled.get(source);
  if (before) return before;
  const outfile = join("built", basename(source).replace(/ts$/, "mjs"));
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));
  const workspace = Object.entries(dependencies).filter(([, version]) => version === "workspace:*");
  if (workspace.some(([name]) => name !== "shared")) return undefined;
  buildSync({
    entryPoints: [source],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: Object.keys({ amqplib: "", ...dependencies, ...devDependencies }).filter(
      (name) => name !== "shared",
    ),
    logLevel: "error",
  });
  compiled.set(source, outfile);
  return outfile;
}
