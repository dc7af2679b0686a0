import type { ConsumeMessage } from "amqplib";

/** Where reading begins, as `x-stream-offset` takes it: a name, an offset, or an AMQP timestamp in s since 1970. */
export type Offset = "first" | "last" | "next" | number | { "!": "timestamp"; value: number };

/**
 * Reads an offset from the command line.
 *
 * @param word `first`, `last` or `next`; an offset, as in `42`; a date as in `2026-01-31` (UTC) or
 *   `2026-01-31T12:00:00Z`, without a zone in local time; or s since 1970 after an @, as in `@1769860800`.
 * @returns `undefined` if it is none of these.
 */
export function readOffset(word: string): Offset | undefined {
  if (word === "first" || word === "last" || word === "next") return word;
  if (/^\d+$/.test(word)) return exact(Number(word));
  const ms = /^@\d+$/.test(word)
    ? Number(word.slice(1)) * 1000
    : iso.test(word)
      ? Date.parse(word)
      : Number.NaN;
  // AMQP's timestamps have whole seconds.
  const value = exact(Math.floor(ms / 1000));
  return value === undefined ? undefined : { "!": "timestamp", value };
}

const exact = (number: number) => (Number.isSafeInteger(number) && number >= 0 ? number : undefined);

/** The unambiguous forms of ISO 8601. JavaScript's own parser accepts many more strings as dates. */
const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** A message's place in its stream. The broker writes this header, over any that a publisher wrote. */
export function offsetOf({ properties: { headers } }: ConsumeMessage): number {
  return headers?.["x-stream-offset"];
}
