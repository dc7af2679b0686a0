import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { scenarios } from "testkit";

const docs = fileURLToPath(new URL("../../../docs", import.meta.url));

// The pages that have terminals.
for (const page of readdirSync(docs).filter((name) => name.endsWith(".md")))
  if (readFileSync(`${docs}/${page}`, "utf8").includes("```console")) scenarios(docs, page);
