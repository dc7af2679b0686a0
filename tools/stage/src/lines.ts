import type { Line } from "./readme.ts";

/** Stands for any text within a line, and alone for any number of lines. */
const ANY = "…";

/**
 * Follows a screen as it fills, and knows at each moment how it stands to what was expected: a set of places in
 * the expected lines, since `…` leaves open how many lines it stands for.
 */
export class Follower {
  readonly #expected: Line[];
  #places: Set<number>;
  /** An unfinished last line: a prompt. */
  #unfinished = "";

  constructor(expected: Line[]) {
    this.#expected = expected;
    this.#places = this.#reach([0]);
  }

  /** A line is complete. */
  line(text: string): void {
    this.#unfinished = "";
    this.#places = this.#after(text);
  }

  /** The last line so far, without its end. */
  unfinished(text: string): void {
    this.#unfinished = text;
  }

  /** What the user does now, if it is their turn. */
  get turn(): Exclude<Line, { kind: "printed" }> | undefined {
    for (const place of this.#now()) {
      const line = this.#expected[place];
      if (line && line.kind !== "printed") return line;
    }
    return undefined;
  }

  /** The user has done what `turn` said. */
  took(turn: Line): void {
    this.#unfinished = "";
    this.#places = this.#reach([this.#expected.indexOf(turn) + 1]);
  }

  /** Whether the screen shows all that was expected, and nothing else. */
  get complete(): boolean {
    return this.#now().has(this.#expected.length);
  }

  /** Whether it can't become complete any more. */
  get hopeless(): boolean {
    return this.#places.size === 0;
  }

  #now(): Set<number> {
    return this.#unfinished === "" ? this.#places : this.#after(this.#unfinished);
  }

  #after(text: string): Set<number> {
    const next: number[] = [];
    for (const place of this.#places) {
      const line = this.#expected[place];
      if (line?.kind !== "printed") continue;
      if (line.text === ANY) next.push(place);
      else if (fits(line.text, text)) next.push(place + 1);
    }
    return this.#reach(next);
  }

  /** `…` alone may stand for no line. */
  #reach(places: number[]): Set<number> {
    const reached = new Set<number>();
    for (let place of places) {
      reached.add(place);
      for (; this.#expected[place]?.text === ANY; place++) reached.add(place + 1);
    }
    return reached;
  }
}

/**
 * Compares what a screen should have shown with what it shows.
 *
 * @param expected Lines as they stand in a README, `…` for what varies.
 * @param actual Lines as they were printed, typed and pressed.
 * @returns Where they differ, a line each: `- ` expected and missing, `+ ` there and unexpected, two spaces for
 *   what is alike, with the actual text where `…` stood for it. `undefined` when nothing differs.
 */
export function difference(expected: string[], actual: string[]): string[] | undefined {
  // costs[i][j]: in how many lines the rest of expected from i differs from the rest of actual from j.
  const columns = actual.length + 1;
  const costs = Array.from({ length: expected.length + 1 }, () => new Uint32Array(columns));
  const at = (i: number, j: number) => costs[i]?.[j] ?? Number.POSITIVE_INFINITY;
  const alike = (i: number, j: number) => j < actual.length && fits(expected[i] ?? "", actual[j] ?? "");
  for (let i = expected.length; i >= 0; i--)
    for (let j = actual.length; j >= 0; j--) {
      const row = costs[i] as Uint32Array;
      if (i === expected.length) row[j] = actual.length - j;
      else if (expected[i] === ANY) row[j] = Math.min(at(i + 1, j), at(i, j + 1));
      else
        row[j] = Math.min(
          1 + at(i + 1, j),
          1 + at(i, j + 1),
          alike(i, j) ? at(i + 1, j + 1) : Number.POSITIVE_INFINITY,
        );
    }
  if (at(0, 0) === 0) return undefined;

  const shown: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && expected[i] === ANY) {
      if (at(i, j) === at(i + 1, j)) i++;
      else shown.push(`  ${actual[j++]}`);
    } else if (i < expected.length && alike(i, j) && at(i, j) === at(i + 1, j + 1)) {
      shown.push(`  ${actual[j++]}`);
      i++;
    } else if (i < expected.length && at(i, j) === 1 + at(i + 1, j)) shown.push(`- ${expected[i++]}`);
    else shown.push(`+ ${actual[j++]}`);
  }
  return shown;
}

/** Whether a printed line is the expected one. */
export function fits(expected: string, actual: string): boolean {
  if (!expected.includes(ANY)) return expected === actual;
  return new RegExp(`^${expected.split(ANY).map(literally).join(".*")}$`, "su").test(actual);
}

const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
