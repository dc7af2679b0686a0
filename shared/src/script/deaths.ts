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
  /** When it last did, in s since 1970. */
  time: number | undefined;
}

/**
 * Reads how a message died.
 *
 * @param headers The message's.
 * @returns Its deaths, the latest first, as far as their times tell: they have whole seconds, and RabbitMQ 3 keeps no
 *   order of its own. Entries that make no sense are left out.
 */
export function deathsOf(headers: Headers): Death[] {
  const entries: unknown = headers?.["x-death"];
  if (!Array.isArray(entries)) return [];
  const deaths = entries.map(readDeath).filter((death) => death !== undefined);
  return deaths.toSorted((one, other) => (other.time ?? 0) - (one.time ?? 0));
}

/**
 * Tells a death in words.
 *
 * @returns A phrase that is safe to print, such as `rejected by a consumer of orders at 2026-01-31T12:00:00Z`.
 */
export function inWords({ reason, queue, count, time }: Death): string {
  const phrase = phrases.get(reason) ?? ((queue) => `given up by ${queue} (${text(reason)})`);
  return `${phrase(text(queue))}${count > 1 ? ` ${count} times, last` : ""} at ${at(time)}`;
}

/**
 * Whether RabbitMQ 3 can move a message on to a dead letter exchange. It takes over an `x-death` that a publisher wrote,
 * and crashes when an entry isn't a table or its count isn't a number. With `x-dead-letter-strategy: at-least-once` that
 * stops this strategy on the whole node (seen on 3.10.8). RabbitMQ 4 doesn't
 * take it over.
 *
 * @param headers The message's.
 */
export function canDie(headers: Headers): boolean {
  const entries: unknown = headers?.["x-death"];
  return !Array.isArray(entries) || entries.every(isEntry);
}

function isEntry(entry: unknown): boolean {
  // amqplib reads a timestamp or a decimal number as an object with this key.
  if (typeof entry !== "object" || entry === null || Array.isArray(entry) || "!" in entry) return false;
  const count = (entry as Record<string, unknown>).count ?? 0;
  return typeof count === "number";
}

function readDeath(entry: unknown): Death | undefined {
  const { reason, queue, count, time } = Object(entry);
  if (typeof reason !== "string" || typeof queue !== "string") return undefined;
  return { reason, queue, count: whole(count) ?? 1, time: whole(time?.value) };
}

const whole = (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

const phrases = new Map<string, (queue: string) => string>([
  ["rejected", (queue) => `rejected by a consumer of ${queue}`],
  ["expired", (queue) => `expired in ${queue}`],
  ["maxlen", (queue) => `found no room in ${queue}`],
  ["delivery_limit", (queue) => `delivered too often from ${queue}`],
]);

function at(seconds = Number.NaN): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? "an unknown time" : time.toISOString().replace(".000", "");
}
