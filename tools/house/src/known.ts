import type { Violation } from "./rules.ts";

/**
 * Violations that are older than their rule and still to be fixed. The check fails on one that no longer occurs, so
 * this list only gets shorter.
 */
export const KNOWN: string[] = [
];

/**
 * Compares what was found with what is known.
 *
 * @returns A line for each new violation, and for each known one that no longer occurs. None: all is well.
 */
export function compare(found: Violation[], known: string[]): string[] {
  const what = found.map((violation) => violation.what);
  return [
    ...found
      .filter((violation) => !known.includes(violation.what))
      .map(({ what, detail }) => `${what}. ${detail}`.trimEnd()),
    ...known
      .filter((line) => !what.includes(line))
      .map((line) => `tools/house/src/known.ts: remove "${line}". It is fixed.`),
  ];
}
