import { basename, join } from "node:path";
import { buildSync } from "esbuild";

/** What `compile` is given. */
export interface Sources {
  /** The folder of the scripts' package. */
  folder: string;
  /** The scripts, from there: `src/pub.ts`. */
  scripts: string[];
  /** Packages that Node finds when the script runs. All others become part of it. */
  external: string[];
  /** Whether `node --enable-source-maps` names the lines of the sources when a script fails. */
  sourceMaps?: boolean;
}

/**
 * Makes one JavaScript file of each script and of what it imports from this repository, to start it with `node` alone.
 * A script's loader, tsx, takes three times as much CPU time as all else that it does.
 *
 * @returns The files, from the same folder: `built/pub.mjs`. They lie in a folder beside the scripts', so that relative
 *   URLs lead to the same places.
 * @throws esbuild's error when a source can't be read or understood. Its `errors` name file, line and reason.
 */
export function compile({ folder, scripts, external, sourceMaps = false }: Sources): string[] {
  buildSync({
    absWorkingDir: folder,
    entryPoints: scripts,
    outdir: "built",
    entryNames: "[name]",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external,
    sourcemap: sourceMaps && "inline",
    logLevel: "silent",
  });
  return scripts.map((script) => join("built", basename(script).replace(/ts$/, "mjs")));
}

/**
 * Finds what a script of a package.json runs.
 *
 * @param command The script's line.
 * @returns Its source, where Node runs it with tsx: `src/pub.ts`.
 */
export function sourceOf(command: string): string | undefined {
  return /^node --import tsx (\S+)$/.exec(command)?.[1];
}
