import { posix } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";
import { SHARED } from "./sources.ts";

type Node = ReturnType<typeof fromMarkdown>["children"][number];
type AnyNode = Node | { type: string; children?: AnyNode[]; url?: string; position?: Node["position"] };

const SETUP = `## Set up

\`\`\`sh
npm install
npm run build
docker compose up -d --wait   # a RabbitMQ at amqp://localhost. AMQP_URL names another one
\`\`\`

\`npm test\` sends and receives what "FIRST" shows. It takes the broker that \`AMQP_URL\` names, or starts one in Docker.

`;

const ORIGIN = `
## Where this comes from

The example PATTERN of _RabbitMQ patterns in TypeScript_, by \`pnpm take PATTERN\`. \`${SHARED}\` is its helper, with its
license. Other commands on this page that begin with \`pnpm\` belong to that repository.
`;

/**
 * Rewrites an example's page for its new project: with the commands that run it there, and without links to files that
 * are not there. A link's words stay. A section about services of the repository's compose file is left out.
 *
 * @param page The README, with its commands rewritten.
 * @param pattern Its name.
 * @param first The heading of the first section with a scenario. How to set up the project is told before it.
 * @param exists Whether a path exists in the new project.
 */
export function rewritePage(
  page: string,
  pattern: string,
  first: string,
  exists: (path: string) => boolean,
): string {
  const edits: { start: number; end: number; text: string }[] = [];
  const place = ({ position }: AnyNode) => ({
    start: position?.start.offset ?? 0,
    end: position?.end.offset ?? 0,
  });
  const visit = (node: AnyNode): void => {
    if ((node.type === "link" || node.type === "image") && "url" in node && isFile(node.url ?? "")) {
      const target = within(node.url ?? "", pattern);
      const words = "children" in node ? (node.children ?? []) : [];
      const [start, end] = [place(words[0] ?? node).start, place(words.at(-1) ?? node).end];
      const text = node.type === "image" ? "" : page.slice(start, end);
      edits.push({ ...place(node), text: target && exists(target) ? `[${text}](${target})` : text });
    } else if ("children" in node) for (const child of node.children ?? []) visit(child as AnyNode);
  };
  for (const section of sectionsOf(page)) {
    const [node] = section;
    const last = section.at(-1);
    if (!node || !last) continue;
    if (needsProfile(section)) {
      edits.push({ start: place(node).start, end: place(last).end, text: "" });
      continue;
    }
    if (node.type === "heading" && page.slice(place(node).start, place(node).end) === `## ${first}`)
      edits.push({ start: place(node).start, end: place(node).start, text: SETUP.replace("FIRST", first) });
    for (const each of section) visit(each);
  }
  const rewritten = edits
    .sort((a, b) => b.start - a.start)
    .reduce((rest, { start, end, text }) => rest.slice(0, start) + text + rest.slice(end), page);
  return `${rewritten.replaceAll(/\n{3,}/g, "\n\n").trimEnd()}\n${ORIGIN.replaceAll("PATTERN", pattern)}`;
}

/** A page's nodes, by its `##` headings. */
function sectionsOf(page: string): Node[][] {
  const sections: Node[][] = [];
  for (const node of fromMarkdown(page).children) {
    const begins = node.type === "heading" && node.depth === 2;
    if (begins || sections.length === 0) sections.push([]);
    sections.at(-1)?.push(node);
  }
  return sections;
}

/** Whether a section is about services of the repository's compose file that the new project doesn't have. */
function needsProfile(section: Node[]): boolean {
  const code = section.filter((node) => node.type === "code");
  return (
    code.some(({ value }) => value.includes("docker compose --profile ")) &&
    code.every(({ lang }) => lang !== "console")
  );
}

/** A link to a file, rather than to another site or to a heading of the page. */
const isFile = (url: string) => !/^(\w+:|#|\/\/)/.test(url);

/** Where a file of the repository is in the new project, unless it is in another example or a tool. */
function within(url: string, pattern: string): string | undefined {
  const path = posix.join("examples", pattern, url.replace(/[#?].*/, "").replace(/\/$/, ""));
  const own = `examples/${pattern}/`;
  if (path.startsWith(own)) return path.slice(own.length);
  if (path === "shared" || path === "shared/src") return SHARED;
  return path.startsWith("shared/src/") ? path.replace("shared/src", SHARED) : undefined;
}
