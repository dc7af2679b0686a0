import { text } from "shared";

/** What a header holds when it comes from our command line. RabbitMQ tells the number 5 from the text "5". */
export type Value = string | number | boolean;

/** Headers by name. */
export type Headers = Record<string, Value>;

/** Bytes. amqplib 2.3.1 writes a message's properties, or a binding's arguments, into 65,536 (its `SCRATCH`). */
const ROOM = 65_000;

/** From here on, amqplib 2.3.1 takes every number for a whole one (its `isFloatingPoint`), and fails if it isn't. */
const LARGE = 2 ** 50;

/**
 * Reads headers from a command line.
 *
 * @param words Each a `key=value`. See `readValue` for what a value is.
 * @param refuse Is told in a sentence what is wrong, and doesn't return.
 * @returns The headers.
 */
export function readHeaders(words: string[], refuse: (reason: string) => never): Headers {
  const headers = new Map<string, Value>();
  // A name and a value cost some bytes more than their letters: lengths and types.
  const size = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 8, 0);
  if (size > ROOM) refuse(`All headers together have room for ${ROOM} bytes.`);
  for (const word of words) {
    const end = word.indexOf("=");
    const name = word.slice(0, end);
    if (end < 1) refuse(`"${text(word)}" is no header: write key=value.`);
    if (Buffer.byteLength(name) > 255) refuse("A header's name has at most 255 bytes.");
    if (name === "x-match") refuse("x-match is no header: it says how a binding matches. See --any.");
    if (headers.has(name)) refuse(`A header has one value, but "${text(name)}" is there twice.`);
    headers.set(name, readValue(word.slice(end + 1)));
  }
  return Object.fromEntries(headers);
}

/**
 * Reads a header's value. What JSON takes for a number, a boolean or a text in double quotes is one: `5`, `true`,
 * `"5"`. Anything else is a text as it stands: `air`, `New York`, `007`, and numbers from 2^50 up, which may not be exact.
 *
 * @param word What was typed, after the shell has taken its own quotes away.
 */
export function readValue(word: string): Value {
  const value = parse(word);
  if (typeof value === "number" && Math.abs(value) < LARGE) return value;
  return typeof value === "boolean" || typeof value === "string" ? value : word;
}

function parse(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch {
    return undefined;
  }
}

/**
 * Shows headers as one would type them, on one line that is safe to print.
 *
 * @param headers A message's. Others may have sent what we don't: lists, tables and times are shown as JSON.
 */
export function show(headers: Record<string, unknown> = {}): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${text(name)}=${text(showValue(value))}`);
  // Headers have no order: RabbitMQ 3.10 keeps the publisher's, 4.3 does not.
  return pairs.sort().join(" ") || "(no headers)";
}

/** The inverse of `readValue`: a text that would be read as something else, or as several words, is quoted. */
const showValue = (value: unknown) =>
  typeof value === "string" && /^[\p{L}\p{N}._-]+$/u.test(value) && readValue(value) === value
    ? value
    : JSON.stringify(value);
