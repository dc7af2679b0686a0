import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { anchorOf } from "../src/pages/anchor.ts";
import { renderLesson } from "../src/pages/lesson.ts";
import { codeCss, renderSources } from "../src/pages/source.ts";

const root = join(import.meta.dirname, "../../..");

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "live-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function lesson(...lines: string[]): string {
  const path = join(temporaryFolder(), "README.md");
  writeFileSync(path, lines.join("\n"));
  return renderLesson(path, ["topics"]);
}

test.each([
  ["Run it", "run-it"],
  ["Break it: lose two of three", "break-it-lose-two-of-three"],
  ["What a stream can't do", "what-a-stream-cant-do"],
])("the anchor of %j is %j", (heading, anchor) => {
  expect(anchorOf(heading)).toBe(anchor);
});

describe("a lesson", () => {
  test("has anchors, tables and code that can be scrolled by keyboard, and no diagram", () => {
    const html = lesson(
      "## Run `it`",
      "",
      "|a|b|",
      "|-|-|",
      "|1|2|",
      "",
      "```console",
      "$ <x>",
      "```",
      "```mermaid",
      "flowchart LR",
      "```",
    );
    expect(html).toContain('<h2 id="run-it">Run <code>it</code></h2>');
    expect(html).toContain("<td>1</td>");
    expect(html).toMatch(/<pre tabindex="0"><code class="language-console">\$ &#x3C;x>/);
    expect(html).not.toContain("flowchart");
  });

  test("brings no script, style, frame or image along", () => {
    const html = lesson(
      "<script>alert(1)</script><b onclick=alert(1)>x</b>",
      "",
      "<iframe src=//evil.example></iframe>",
      "",
      "![x](https://evil.example/x.png) [x](javascript:alert%281%29) [y](data:text/html,x)",
    );
    expect(html).not.toMatch(/<script|<b|<iframe|<img|onclick|javascript:|data:/);
  });

  test("links to other patterns' pages, to itself and to the web, and to no file", () => {
    const html = lesson(
      "[a](../topics) [b](../topics/) [c](#x) [d](https://www.rabbitmq.com) [e](src/pub.ts) [f](../../docs/x.md)",
    );
    expect(html.match(/<a[^>]*>/g)).toEqual([
      '<a href="/topics">',
      '<a href="/topics">',
      '<a href="#x">',
      '<a href="https://www.rabbitmq.com" target="_blank" rel="noreferrer">',
      "<a>",
      "<a>",
    ]);
  });

  test("of every pattern can be rendered", () => {
    const patterns = readdirSync(join(root, "examples"));
    for (const pattern of patterns)
      expect(renderLesson(join(root, "examples", pattern, "README.md"), patterns)).toMatch(/^<h1 id="/);
  });
});

describe("source", () => {
  test("is highlighted by classes of the style sheet, without inline styles", async () => {
    const [file] = await renderSources(join(root, "examples/topics"));
    expect(file?.file).toMatch(/^src\/\w+\.ts$/);
    const classes = new Set(file?.html.match(/code-[\w-]+/g));
    expect(classes).toContain("code-keyword");
    for (const name of classes) expect(codeCss).toContain(`.${name} {`);
    expect(file?.html).not.toContain("style=");
  });

  test("that holds HTML is text", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "src", "x.ts"), 'const x = "</code><script>alert(1)</script>&amp;";');
    const [file] = await renderSources(folder);
    expect(file?.html).not.toContain("<script");
    expect(file?.html).toContain("&lt;script&gt;");
    expect(file?.html).toContain("&amp;amp;");
  });
});
