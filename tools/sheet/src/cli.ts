// pnpm sheet: makes docs/cheat-sheet.html from docs/cheat-sheet.md.
import { readFileSync, writeFileSync } from "node:fs";
import { toPage } from "./page.ts";

const docs = new URL("../../../docs/", import.meta.url);
writeFileSync(
  new URL("cheat-sheet.html", docs),
  toPage(readFileSync(new URL("cheat-sheet.md", docs), "utf8")),
);
