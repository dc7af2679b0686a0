import wrap from "wrap-ansi";

/**
 * Draws over what the terminal shows, so that nothing flickers. A line that is wider than the window goes on in the next
 * row, further in; what finds no room below is counted.
 *
 * @param lines Printable text.
 */
export function draw(lines: string[]): void {
  const { columns, rows } = process.stdout;
  const wrapped = [...lines, "", "Looking every second. Press Ctrl-C to stop."].map((line) =>
    fold(line, columns),
  );
  const below = wrapped.slice(-2).flat();
  const above = wrapped.slice(0, -2).flat();
  // The cursor's row is below them; one row more would scroll.
  const room = rows - 1 - below.length;
  const fitting = above.length <= room ? above : above.slice(0, room - 1);
  if (fitting !== above) fitting.push(`… ${above.length - fitting.length} more lines`);
  // Should the window have become narrower at this moment, rows are cut: wrapped by the terminal, they would scroll.
  const [home, clearLine, clearRest, cut, uncut] = ["\x1b[H", "\x1b[K", "\x1b[J", "\x1b[?7l", "\x1b[?7h"];
  const text = [...fitting, ...below].map((row) => row + clearLine).join("\n");
  process.stdout.write(`${cut}${home}${text}\n${clearRest}${uncut}`);
}

/**
 * Folds a line of a tree.
 *
 * @param line Such as `├─ "kern.*" → queue kern (quorum): 1 ready`.
 * @param columns The window's width.
 * @returns Rows of that width at most. The tree's lines go on through them: `│      1 ready`.
 */
export function fold(line: string, columns: number): string[] {
  const [branch = ""] = /^[│├└─ ]*/.exec(line) ?? [];
  const trunk = `${branch.replaceAll("├", "│").replaceAll(/[└─]/g, " ")}    `;
  const rest = line.slice(branch.length);
  const inOneRow = wrap(rest, Math.max(1, columns - branch.length), { hard: true });
  if (!inOneRow.includes("\n")) return [line];
  const rows = wrap(rest, Math.max(1, columns - trunk.length), { hard: true }).split("\n");
  return rows.map((row, index) => (index === 0 ? branch : trunk) + row);
}
