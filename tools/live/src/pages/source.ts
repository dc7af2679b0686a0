import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCssVariablesTheme, createHighlighterCore, type ThemedToken } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import typescript from "shiki/langs/typescript.mjs";
import type { SourceFile } from "../protocol.ts";

/** What shiki tells apart, and its colours for light and for dark. */
const colours: Record<string, [light: string, dark: string]> = {
  keyword: ["#a0111f", "#ff9492"],
  string: ["#0a3069", "#a5d6ff"],
  "string-expression": ["#0a3069", "#a5d6ff"],
  comment: ["#59636e", "#9198a1"],
  constant: ["#0550ae", "#79c0ff"],
  function: ["#622cbc", "#d2a8ff"],
  parameter: ["#702c00", "#ffb77c"],
  punctuation: ["#1f2328", "#d1d7e0"],
  link: ["#0550ae", "#79c0ff"],
};

/** The style sheet of highlighted source: it has no inline styles, which the page's policy forbids. */
export const codeCss = Object.entries(colours)
  .map(([name, [light, dark]]) => `.code-${name} { color: light-dark(${light}, ${dark}); }`)
  .join("\n");

const highlighter = createHighlighterCore({
  themes: [createCssVariablesTheme({ name: "classes", variablePrefix: "", fontStyle: false })],
  langs: [typescript],
  engine: createJavaScriptRegexEngine(),
});

/**
 * The sources of a pattern, highlighted.
 *
 * @param folder The pattern's folder. One without sources has none.
 */
export async function renderSources(folder: string): Promise<SourceFile[]> {
  const sources = join(folder, "src");
  if (!existsSync(sources)) return [];
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" });
  const scripts = files.filter((file) => file.endsWith(".ts")).sort();
  return Promise.all(
    scripts.map(async (file) => ({
      file: `src/${file}`,
      html: await highlight(readFileSync(join(sources, file), "utf8")),
    })),
  );
}

async function highlight(source: string): Promise<string> {
  const { tokens } = (await highlighter).codeToTokens(source, { lang: "typescript", theme: "classes" });
  const lines = tokens.map((line) => line.map(span).join(""));
  return `<pre class="code" tabindex="0"><code>${lines.join("\n")}</code></pre>`;
}

function span({ content, color = "" }: ThemedToken): string {
  const [, name = ""] = /token-([\w-]+)/.exec(color) ?? [];
  return name in colours ? `<span class="code-${name}">${escaped(content)}</span>` : escaped(content);
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
