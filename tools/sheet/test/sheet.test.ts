import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toPage } from "../src/page.ts";

const docs = new URL("../../../docs/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, docs), "utf8");

test("docs/cheat-sheet.html is what pnpm sheet makes of docs/cheat-sheet.md", () => {
  expect(read("cheat-sheet.html")).toBe(toPage(read("cheat-sheet.md")));
});

test("each section becomes one that is not broken, and a table a table", () => {
  const page = toPage(
    "# Sheet\n\nPrint [this](it.html).\n\n## One\n\n| a | b |\n| - | - |\n| `<c>` | d |\n\n## Two\n",
  );
  expect(page).toContain("<title>Sheet</title>");
  expect(page).not.toContain("it.html");
  expect(page.match(/<section>\n<h2>/g)).toHaveLength(2);
  expect(page).toContain("<td><code>&lt;c&gt;</code></td>");
});
