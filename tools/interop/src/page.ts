import { text } from "shared";
import { type InteropResults, tables } from "./report.ts";

/**
 * Compares what a run has found with the tables and the sentences that README.md shows.
 *
 * @param page The page.
 * @param results Of a run. The page may have more languages: those that were skipped.
 * @returns Where the page differs, in lines.
 */
export function differences(page: string, results: InteropResults): string[] {
  const shown = tablesOf(page);
  const cells = tables(results).flatMap(([header = [], ...rows]) => {
    // Only the first has ours.
    const table = shown.find(
      ([columns = []]) =>
        header.every((name) => columns.includes(name)) &&
        columns.includes("**ours**") === header.includes("**ours**"),
    );
    if (!table) return [`README.md has no table with the columns ${header.filter(Boolean).join(", ")}.`];
    const [columns = [], ...lines] = table;
    // A language that was skipped has no row of its own in the first table.
    const gone = lines
      .map(([name = ""]) => name)
      .filter((name) => !columns.includes(name) && !rows.some(([row]) => row === name))
      .map((name) => `README.md: ${name}: the run has no such row.`);
    return [
      ...gone,
      ...rows.flatMap(([name = "", ...found]) => {
        const line = lines.find(([row]) => row === name);
        if (!line) return [`README.md lacks the row ${name}.`];
        return found.flatMap((cell, index) => {
          const column = header[index + 1] ?? "";
          const there = line[columns.indexOf(column)] ?? "";
          return there === cell
            ? []
            : [`README.md: ${name}, ${column}: "${there}" there, "${cell}" in the run.`];
        });
      }),
    ];
  });
  const sentences = results.refusals.flatMap(({ situation, sentence }) =>
    page.includes(`- ${situation}:\n  \`${text(sentence)}\``)
      ? []
      : [`README.md lacks: ${situation}: ${text(sentence)}`],
  );
  return [...cells, ...sentences];
}

/** A page's tables: rows of cells, and first those of the header. */
function tablesOf(page: string): string[][][] {
  return [...page.matchAll(/^\|.*\n\|[ |:-]+\n(?:\|.*\n)*/gm)].map(([table]) =>
    table
      .trimEnd()
      .split("\n")
      .filter((_, index) => index !== 1)
      .map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}
