import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a package.json says, as far as the rules of the house need it. */
export interface Package {
  /** Where it is, relative to the root, with slashes: `examples/topics`. */
  folder: string;
  name: string;
  scripts: Record<string, string>;
  /** Packages of this repository that it needs when it runs. Those that only its tests need are not among them. */
  dependencies: string[];
}

/**
 * Reads each package of the repository.
 *
 * @param root The repository's folder.
 * @returns The examples, `exercises`, `shared` and the tools, each by name.
 */
export function readPackages(root: string): Package[] {
  const inside = (folder: string) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
  const folders = [
    ...inside("examples").map((name) => `examples/${name}`),
    "exercises",
    "shared",
    ...inside("tools").map((name) => `tools/${name}`),
  ];
  return folders
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => {
      const { name, scripts, dependencies } = JSON.parse(
        readFileSync(join(root, folder, "package.json"), "utf8"),
      );
      return {
        folder,
        name,
        scripts: scripts ?? {},
        // A package from npm may have the name of one of ours, as mqtt has.
        dependencies: Object.entries<string>(dependencies ?? {}).flatMap(([dependency, version]) =>
          version.startsWith("workspace:") ? [dependency] : [],
        ),
      };
    });
}
