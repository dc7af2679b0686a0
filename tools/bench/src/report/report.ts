import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { UserError } from "cli";
import { describeEnvironment } from "../engine/machine.ts";
import type { Result } from "../engine/results.ts";
import { drawSvg, inFigures, type Plot } from "./plot.ts";
import { groupBy, type Spread, spread } from "./statistics.ts";

export interface Table {
  caption: string;
  columns: string[];
  rows: string[][];
}

export interface Report {
  title: string;
  /** What matters most, in lines: printed, and first on the page. */
  summary: string[];
  /** What is measured, from where to where. */
  about: string[];
  plots: Plot[];
  tables: Table[];
  /** What each way promises, and what it costs: whether like is compared with like. */
  guarantees: Table;
  /** What else to know before believing the figures. */
  notes: string[];
}

/**
 * Writes a benchmark's plots as SVG, and README.md, which GitHub and editors show with them.
 *
 * @param folder Where to.
 * @param report Makes the report of the results.
 * @param missing What could not be measured, and why.
 * @returns What to print: the summary, what is missing, and where the report is.
 * @throws {UserError} When there are no results.
 */
export function writeReport(
  folder: string,
  report: (results: Result[]) => Report,
  results: Result[],
  missing: string[] = [],
): string {
  if (results.length === 0) throw new UserError(`No results in ${folder} yet.`);
  mkdirSync(folder, { recursive: true });
  const made = report(results);
  for (const plot of made.plots) writeFileSync(join(folder, `${plot.name}.svg`), drawSvg(plot));
  const page = join(folder, "README.md");
  writeFileSync(page, markdown(made, results, missing));
  return [...made.summary, ...missing, `Report: ${relative(process.cwd(), page)}`].join("\n");
}

function markdown(report: Report, results: Result[], missing: string[]): string {
  const { title, summary, about, plots, tables, guarantees, notes } = report;
  const environments = [...new Set(results.map(({ environment }) => describeEnvironment(environment)))];
  const measured = `Measured: ${results[0]?.at} to ${results.at(-1)?.at}`;
  return `${[
    `# ${title}`,
    list(summary),
    ...about,
    ...plots.map((plot) => `![${plot.title}](${plot.name}.svg)`),
    "## The figures",
    ...tables.map(table),
    "## What is compared",
    table(guarantees),
    table(settingsTable(results)),
    "## Before you believe it",
    list([...missing, ...notes]),
    `\`\`\`text\n${[...environments, measured].join("\n\n")}\n\`\`\``,
  ].join("\n\n")}\n`;
}

const list = (items: string[]) => items.map((item) => `- ${item.replaceAll("\n", "\n  ")}`).join("\n");

function table({ caption, columns, rows }: Table): string {
  const row = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replace(/[\\|<]/g, "\\$&").replaceAll("\n", " ")).join(" | ")} |`;
  const isFigures = (n: number) =>
    rows.length > 0 && rows.every((cells) => /^[\d.,]*( |$)/.test(cells[n] ?? ""));
  const rule = `|${columns.map((_, n) => (isFigures(n) ? " --: " : " --- ")).join("|")}|`;
  return `**${caption}**\n\n${[row(columns), rule, ...rows.map(row)].join("\n")}`;
}

/**
 * The table of all figures: a row for each way and choice of settings, with the median and the spread of each. Rows
 * are in the order of the settings, and what differs only in the way stands together.
 *
 * @param results What to summarize.
 * @param figures The columns: their names in `measured`, and how the report calls them, with the unit.
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
      .map(([key, group]) => [
        ...JSON.parse(key).map((word: unknown) => String(word ?? "")),
        ...Object.keys(figures).map((figure) => inBrackets(spread(group, figure), "")),
        String(group.length),
      ]),
  };
}

/**
 * "12,345 (11,000 to 13,000)"
 *
 * @param otherwise What stands for a figure that was not measured.
 */
export const inBrackets = (found: Spread | undefined, otherwise = "not measured"): string =>
  found
    ? `${inFigures(found.median)} (${inFigures(found.least)} to ${inFigures(found.greatest)})`
    : otherwise;

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
