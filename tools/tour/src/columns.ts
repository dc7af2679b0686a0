import stringWidth from "string-width";
import wrap from "wrap-ansi";

/** A narrower column would break most lines of the pages. In characters. */
const NARROWEST = 36;

const GAP = " │ ";

/** A column: a heading, and the lines below it. */
export interface Column {
  heading: string;
  lines: string[];
}

/**
 * How wide each of several columns may be.
 *
 * @param width Of the terminal, in characters.
 * @returns In characters; `undefined` where they don't fit side by side.
 */
export function columnWidth(count: number, width: number): number | undefined {
  const each = Math.floor((width - GAP.length * (count - 1)) / count);
  return count > 1 && each >= NARROWEST ? each : undefined;
}

/**
 * Sets columns side by side.
 *
 * @param columns Their texts, which may have styles.
 * @param width Of each, in characters.
 * @returns Rows, as many as the longest column needs.
 */
export function sideBySide(columns: Column[], width: number): string[] {
  const cells = columns.map(({ heading, lines }) =>
    [heading, ...lines].flatMap((line) => wrap(line, width, { hard: true, trim: false }).split("\n")),
  );
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, row) =>
    cells
      .map((column) => column[row] ?? "")
      .map((cell) => cell + " ".repeat(width - stringWidth(cell)))
      .join(GAP)
      .trimEnd(),
  );
}
