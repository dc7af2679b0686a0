import type { Result, Settings } from "./results.ts";
import { median } from "./rounds.ts";

/** What several rounds say of one figure. */
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

/** Splits results by whatever a function says of them, in the order of first appearance. */
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

/**
 * The ratio of two ways for people, or what there is to know where one of them has not been measured.
 *
 * @param ours What is compared.
 * @param compared With what.
 */
export const ratioInWords = (ours: string, compared: string, found: Spread | undefined): string =>
  found
    ? `${ours}: ${found.median.toFixed(2)} of ${compared} (${found.least.toFixed(2)} to ${found.greatest.toFixed(2)})`
    : `${compared} was not measured`;
