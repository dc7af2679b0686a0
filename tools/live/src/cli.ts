import { fileURLToPath } from "node:url";
import { main } from "./main.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [command, ...words] = process.argv.slice(2);

if (command === "film") {
  // A browser is driven for it, of which nothing is loaded otherwise.
  const { filmMain } = await import("../film/main.ts");
  process.exitCode = await filmMain(words, root);
} else process.exitCode = await main(process.argv.slice(2), root);
