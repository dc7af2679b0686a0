import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "./benchmark.ts";
import { inWords } from "./machine.ts";
import { drawPng, drawSvg, inFigures, type Plot } from "./plot.ts";
import type { Result } from "./results.ts";
import { groupBy, type Spread, spread } from "./statistics.ts";

export interface Table {
  caption: string;
  columns: string[];
  rows: string[][];
}

export interface Page {
  title: string;
  /** Paragraphs: what is measured, from where to where. */
  about: string[];
  plots: Plot[];
  tables: Table[];
  /** What each way promises, and what it costs: whether like is compared with like. */
  guarantees: Table;
  /** What else to know before believing the figures. */
  notes: string[];
  /** What all of it was drawn from. */
  results: Result[];
}

/**
 * Writes the plots, each as SVG and PNG, and a page that needs nothing beside itself.
 *
 * @param folder Where to: `<plot>.svg`, `<plot>.png`, `index.html`.
 * @returns The address of the page.
 * @throws When there are no results.
 */
export function writePage(folder: string, page: Page): string {
  if (page.results.length === 0) throw new UserError(`No results in ${folder} yet.`);
  mkdirSync(folder, { recursive: true });
  const drawings = page.plots.map((plot) => {
    const svg = drawSvg(plot);
    writeFileSync(join(folder, `${plot.name}.svg`), svg);
    writeFileSync(join(folder, `${plot.name}.png`), drawPng(svg));
    return { plot, svg };
  });
  const file = join(folder, "index.html");
  writeFileSync(file, html(page, drawings));
  return pathToFileURL(file).href;
}

/**
 * The table of all figures: a row for each way and choice of settings, with the median and the spread of each. Rows
 * are in the order of the settings, and what differs only in the way stands together.
 *
 * @param results What to summarize.
 * @param figures The columns: their names in `measured`, and how the page calls them, with the unit.
 * @param vary The settings that differ between rows.
 */
export function figuresTable(results: Result[], figures: Record<string, string>, vary: string[]): Table {
  const groups = groupBy(results, ({ way, settings }) =>
    JSON.stringify([...vary.map((name) => settings[name]), way]),
  );
  const { compare } = new Intl.Collator("en", { numeric: true });
  return {
    caption: "Medians, and in brackets the least and the greatest of the rounds",
    columns: [...vary, "way", ...Object.values(figures), "rounds"],
    rows: [...groups]
      .toSorted(([a], [b]) => compare(a, b))
      .map(([key, group]) => {
        const spreads = Object.keys(figures).map((figure) => spread(group, figure));
        return [
          ...JSON.parse(key).map((word: unknown) => String(word ?? "")),
          ...spreads.map((one) => (one ? inBrackets(one) : "")),
          String(group.length),
        ];
      }),
  };
}

/** "12,345 (11,000 to 13,000)" */
export const inBrackets = ({ median, least, greatest }: Spread): string =>
  `${inFigures(median)} (${inFigures(least)} to ${inFigures(greatest)})`;

/** All values that each setting has in some result. */
function settingsTable(results: Result[]): Table {
  const values = new Map<string, Set<string>>();
  for (const { settings } of results) {
    for (const [name, value] of Object.entries(settings)) {
      const known = values.get(name) ?? new Set();
      values.set(name, known.add(String(value)));
    }
  }
  return {
    caption: "Settings",
    columns: ["setting", "values"],
    rows: [...values].map(([name, known]) => [name, [...known].join(", ")]),
  };
}

/** Text that is safe in HTML, wherever it came from. */
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

const paragraphs = (texts: string[]) => texts.map((text) => `<p>${escaped(text)}</p>`).join("\n");

function table({ caption, columns, rows }: Table): string {
  const row = (cells: string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}${/^[\d.,]+( |$)/.test(cell) ? ' class="figure"' : ""}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="wide"><table>
<caption>${escaped(caption)}</caption>
<thead>${row(columns, "th")}</thead>
<tbody>
${rows.map((cells) => row(cells, "td")).join("\n")}
</tbody>
</table></div>`;
}

function html(page: Page, drawings: { plot: Plot; svg: string }[]): string {
  const { title, about, tables, guarantees, notes, results } = page;
  const [first, last] = [results[0]?.at, results.at(-1)?.at];
  const environments = [...new Set(results.map(({ environment }) => inWords(environment)))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
body { font: 16px/1.5 Inter, system-ui, sans-serif; color: #222; background: #fff; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; }
figure svg { width: 100%; height: auto; border: 1px solid #ddd; }
figure + figure { margin-top: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.875rem; }
caption { text-align: left; font-weight: bold; padding-bottom: 0.25rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #ddd; }
.figure { font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { white-space: pre-wrap; }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${paragraphs(about)}
${drawings.map(({ plot, svg }) => `<figure role="img" aria-label="${escaped(plot.title)}">\n${svg}\n</figure>`).join("\n")}
<h2>The figures</h2>
${tables.map(table).join("\n")}
<h2>What is compared</h2>
${table(guarantees)}
${table(settingsTable(results))}
<h2>Before you believe it</h2>
${paragraphs(notes)}
<pre>${escaped(environments.join("\n\n"))}
Measured: ${escaped(`${first} to ${last}`)}</pre>
</body>
</html>
`;
}
