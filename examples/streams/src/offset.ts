import type { ConsumeMessage } from "amqplib";

/** Where reading begins, as `x-stream-offset` takes it: a name, an offset, or an AMQP timestamp in s since 1970. */
export type Offset = "first" | "last" | "next" | number | { "!": "timestamp"; value: number };

/**
 * Reads what was typed.
 *
 * @param word `first`, `last` or `next`; an offset, as in `42`; a date as in `2026-01-31` (UTC) or
 *   `2026-01-31T12:00:00Z`, without a zone in local time; or s since 1970 after an @, as in `@1769860800`.
 * @returns `undefined` where it is none of these.
 */
export function readOffset(word: string): Offset | undefined {
  if (word === "first" || word === "last" || word === "next") return word;
  if (/^\d+$/.test(word)) return exact(Number(word));
  const ms = /^@\d+$/.test(word)
    ? Number(word.slice(1)) * 1000
    : iso.test(word)
      ? Date.parse(word)
      : Number.NaN;
  // The protocol's timestamps have no fractions of a second.
  const value = exact(Math.floor(ms / 1000));
  return value === undefined ? undefined : { "!": "timestamp", value };
}

const exact = (number: number) => (Number.isSafeInteger(number) && number >= 0 ? number : undefined);

/** Those forms of ISO 8601 that leave no doubt. JavaScript's own parser takes much more for a date. */
const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** The place of a message in its stream, which the broker says in a header. A publisher's own header it replaces. */
export function offsetOf({ properties: { headers } }: ConsumeMessage): number {
  return headers?.["x-stream-offset"];
}
