import type { Result, Settings } from "../engine/results.ts";

/** The rounds of one figure. */
export interface Spread {
  median: number;
  least: number;
  greatest: number;
  rounds: number;
}

/**
 * The median and the spread of a figure over all rounds.
 *
 * @param results The results of one way with one choice of settings.
 * @param figure Its name in `measured`. Results that lack it don't count.
 * @returns `undefined` when none has it.
 */
export function spread(results: Result[], figure: string): Spread | undefined {
  const numbers = results.map(({ measured }) => measured[figure]).filter((number) => number !== undefined);
  if (numbers.length === 0) return undefined;
  return {
    median: median(numbers),
    least: Math.min(...numbers),
    greatest: Math.max(...numbers),
    rounds: numbers.length,
  };
}

/** The middle of some numbers, or the mean of the two in the middle. */
function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * The ratio of two ways, taken round by round, since the machine's speed drifts between rounds.
 *
 * @param ours The results of one way with one choice of settings.
 * @param theirs Those that divide.
 * @param figure Its name in `measured`.
 * @returns `undefined` when no round has both.
 */
export function ratio(ours: Result[], theirs: Result[], figure: string): Spread | undefined {
  const paired = ours.flatMap((our) => {
    const their = theirs.find(({ round }) => round === our.round);
    const quotient = (our.measured[figure] ?? Number.NaN) / (their?.measured[figure] ?? Number.NaN);
    return Number.isFinite(quotient) ? [{ ...our, measured: { [figure]: quotient } }] : [];
  });
  return spread(paired, figure);
}

/** Splits results by a key, in the order of first appearance. */
export function groupBy(results: Result[], key: (result: Result) => string): Map<string, Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const group = groups.get(key(result));
    if (group) group.push(result);
    else groups.set(key(result), [result]);
  }
  return groups;
}

/** The results of one way that have all of these settings. */
export const where = (results: Result[], way: string, settings: Settings): Result[] =>
  results.filter(
    (result) =>
      result.way === way &&
      Object.entries(settings).every(([name, value]) => result.settings[name] === value),
  );
