import { readFileSync } from "node:fs";
import { compile as compileAll } from "stage";

const compiled = new Map<string, string>();

/**
 * Compiles a script of this package, once.
 *
 * @param source The script, from the package's folder: `src/pub.ts`.
 * @returns The file that `node` runs. `undefined` for a tool's script, since other tools look for files beside their own.
 */
export function compile(source: string): string | undefined {
  const before = compiled.get(source);
  if (before) return before;
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));
  const workspace = Object.entries(dependencies).filter(([, version]) => version === "workspace:*");
  if (workspace.some(([name]) => name !== "shared")) return undefined;
  const external = Object.keys({ amqplib: "", ...dependencies, ...devDependencies });
  const [file = source] = compileAll({
    folder: process.cwd(),
    scripts: [source],
    external: external.filter((name) => name !== "shared"),
  });
  compiled.set(source, file);
  return file;
}
