// Checks the rules of the house that no other tool knows. `pnpm check` runs it, from the repository's root.
import { compare, KNOWN } from "./known.ts";
import { readPackages } from "./packages.ts";
import { checkActions, checkDependencies, checkLengths, checkScripts } from "./rules.ts";

const root = process.cwd();
const packages = readPackages(root);
const found = [
  ...checkDependencies(packages),
  ...checkScripts(packages),
  ...checkLengths(root, packages),
  ...checkActions(root),
];
const lines = compare(found, KNOWN);
for (const line of lines) console.error(line);
process.exitCode = lines.length > 0 ? 1 : 0;
