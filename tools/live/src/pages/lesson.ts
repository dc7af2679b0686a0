import { readFileSync } from "node:fs";
import { toHtml } from "hast-util-to-html";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toHast } from "mdast-util-to-hast";
import { gfm } from "micromark-extension-gfm";
import { anchorOf } from "./anchor.ts";

type Node = ReturnType<typeof toHast>;
type Element = Extract<Node, { type: "element" }>;

/**
 * A README as HTML. Its diagram and its film are left out, since the live picture is there instead, and so is raw HTML:
 * nothing in a lesson can bring a script or a style along.
 *
 * @param path The Markdown file.
 * @param patterns The names of all patterns: a link to one leads to its page.
 * @throws When the file can't be read.
 */
export function renderLesson(path: string, patterns: readonly string[]): string {
  const tree = fromMarkdown(readFileSync(path, "utf8"), {
    extensions: [gfm()],
    mdastExtensions: [gfmFromMarkdown()],
  });
  tree.children = tree.children.filter(
    (node) =>
      !(node.type === "code" && node.lang === "mermaid") &&
      !(node.type === "paragraph" && node.children.every(({ type }) => type === "image")),
  );
  // By default, mdast-util-to-hast leaves raw HTML out.
  const html = toHast(tree);
  adapt(html, patterns);
  return toHtml(html);
}

function adapt(node: Node, patterns: readonly string[]): void {
  if (node.type === "element") {
    const { tagName, properties } = node;
    if (/^h[1-6]$/.test(tagName)) properties.id = anchorOf(plainText(node));
    // What scrolls sideways must be reachable without a mouse.
    if (tagName === "pre") properties.tabIndex = 0;
    if (tagName === "a") adaptLink(node, patterns);
    if (tagName === "img") node.tagName = "span";
  }
  if ("children" in node) for (const child of node.children) adapt(child, patterns);
}

function adaptLink({ properties }: Element, patterns: readonly string[]): void {
  const href = String(properties.href ?? "");
  const [, name = ""] = /^\.\.\/([\w-]+)\/?$/.exec(href) ?? [];
  if (patterns.includes(name)) properties.href = `/${name}`;
  else if (/^https?:/.test(href)) Object.assign(properties, { target: "_blank", rel: "noreferrer" });
  // A file of the repository isn't served.
  else if (!href.startsWith("#")) delete properties.href;
}

const plainText = (node: Node): string => {
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(plainText).join("") : "";
};
