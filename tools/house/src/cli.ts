// Checks the rules of the house that no other tool knows. `pnpm check` runs it, from the repository's root.
import { checkCommands } from "./commands.ts";
import { readPackages } from "./packages.ts";
import { checkActions, checkDependencies, checkLengths, checkScripts } from "./rules.ts";

const root = process.cwd();
const packages = readPackages(root);
const found = [
  ...checkDependencies(packages),
  ...checkScripts(packages),
  ...checkLengths(root, packages),
  ...checkActions(root),
  ...checkCommands(root, packages),
];
for (const { what, detail } of found) console.error(`${what}. ${detail}`.trimEnd());
process.exitCode = found.length > 0 ? 1 : 0;
