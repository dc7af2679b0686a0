import { text } from "../amqp/index.ts";

/** A message's headers. Any client may have written them, so they may hold anything. */
export type Headers = Record<string, unknown> | undefined;

/** What RabbitMQ notes in `x-death` when a queue gives a message up (https://www.rabbitmq.com/docs/dlx#effects). */
export interface Death {
  /** `rejected`, `expired`, `maxlen` or `delivery_limit`. */
  reason: string;
  queue: string;
  /** How often the message died in that queue for that reason. */
  count: number;
  /** When it last did, in s since 1970. NaN when that is unknown. */
  time: number;
}

/**
 * Reads how a message died.
 *
 * @param headers The message's.
 * @returns Its deaths, the latest first, as far as their times tell: they have whole seconds, and RabbitMQ 3 keeps no
 *   order of its own. Entries that make no sense are left out.
 */
export function deathsOf(headers: Headers): Death[] {
  return entriesOf(headers)
    .map((entry): Death => {
      const { reason, queue, count, time } = Object(entry);
      return { reason, queue, count: whole(count, 1), time: whole(time?.value, Number.NaN) };
    })
    .filter(({ reason, queue }) => typeof reason === "string" && typeof queue === "string")
    .sort((one, other) => (other.time || 0) - (one.time || 0));
}

const whole = (value: unknown, otherwise: number) =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : otherwise;

/**
 * Tells a death in words.
 *
 * @returns A phrase that is safe to print, such as `rejected by a consumer of orders at 2026-01-31T12:00:00Z`.
 */
export function inWords({ reason, queue, count, time }: Death): string {
  const phrase = phrases.get(reason);
  const where = phrase ? `${phrase} ${text(queue)}` : `given up by ${text(queue)} (${text(reason)})`;
  const date = new Date(time * 1000);
  const at = Number.isNaN(date.getTime()) ? "an unknown time" : date.toISOString().replace(".000", "");
  return `${where}${count > 1 ? ` ${count} times, last` : ""} at ${at}`;
}

const phrases = new Map([
  ["rejected", "rejected by a consumer of"],
  ["expired", "expired in"],
  ["maxlen", "found no room in"],
  ["delivery_limit", "delivered too often from"],
]);

/**
 * Whether RabbitMQ 3 can move a message on to a dead letter exchange. It takes over an `x-death` that a publisher wrote,
 * and crashes when an entry isn't a table or its count isn't a number. With `x-dead-letter-strategy: at-least-once` that
 * stops this strategy on the whole node (seen on 3.10.8). RabbitMQ 4 doesn't take it over.
 *
 * @param headers The message's.
 */
export function canDie(headers: Headers): boolean {
  return entriesOf(headers).every((entry) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return false;
    // amqplib reads a timestamp or a decimal number as an object with the key "!".
    return !("!" in entry) && (!("count" in entry) || typeof entry.count === "number");
  });
}

function entriesOf(headers: Headers): unknown[] {
  const entries = headers?.["x-death"];
  return Array.isArray(entries) ? entries : [];
}
