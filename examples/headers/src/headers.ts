import { text } from "shared";

/** The value of a header from the command line. To RabbitMQ, the number 5 and the string "5" are different values. */
export type Value = string | number | boolean;

/** Headers by name. */
export type Headers = Record<string, Value>;

/** Bytes. amqplib 2.3.1 encodes a message's properties, or a binding's arguments, in a buffer of 65,536 (`SCRATCH`). */
const ROOM = 65_000;

/** From here on, amqplib 2.3.1 encodes every number as an integer (`isFloatingPoint`), and throws on a fraction. */
const LARGE = 2 ** 50;

/**
 * Reads headers from a command line.
 *
 * @param words Each is a `key=value`. `readValue` describes the values.
 * @param refuse Is called with a sentence that names what is wrong. It doesn't return.
 * @returns The headers.
 */
export function readHeaders(words: string[], refuse: (reason: string) => never): Headers {
  const headers = new Map<string, Value>();
  // Besides its name and its value, a header takes a few bytes for their lengths and the type.
  const size = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 8, 0);
  if (size > ROOM) refuse(`All headers together have at most ${ROOM} bytes.`);
  for (const word of words) {
    const end = word.indexOf("=");
    const name = word.slice(0, end);
    if (end < 1) refuse(`"${text(word)}" is not a header. Write key=value.`);
    if (Buffer.byteLength(name) > 255) refuse("A header's name has at most 255 bytes.");
    if (name === "x-match") refuse("x-match is not a header. It sets how a binding matches: see --any.");
    if (headers.has(name)) refuse(`A header has one value, but "${text(name)}" is given twice.`);
    headers.set(name, readValue(word.slice(end + 1)));
  }
  return Object.fromEntries(headers);
}

/**
 * Reads a header's value. A JSON number, boolean or string becomes that value: `5`, `true`, `"5"`. Any other word is a
 * string as it stands: `air`, `New York`, `007`. So is a number from 2^50 up, which may not be exact.
 *
 * @param word The word as the shell passes it on, without the shell's own quotes.
 */
export function readValue(word: string): Value {
  try {
    const value = JSON.parse(word);
    if (typeof value === "number" && Math.abs(value) < LARGE) return value;
    return typeof value === "boolean" || typeof value === "string" ? value : word;
  } catch {
    return word;
  }
}

/**
 * Formats headers as one would type them, on one line that is safe to print.
 *
 * @param headers The headers of a message. Lists, tables and timestamps, which only other programs send, become JSON.
 */
export function show(headers: Record<string, unknown> = {}): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${text(name)}=${text(showValue(value))}`);
  // Sorted, because headers have no order: RabbitMQ 3.10 keeps the publisher's order, and 4.3 doesn't.
  return pairs.sort().join(" ") || "(no headers)";
}

/** The inverse of `readValue`. It quotes a string that would be read as another type, or as several words. */
const showValue = (value: unknown) =>
  typeof value === "string" && /^[\p{L}\p{N}._-]+$/u.test(value) && readValue(value) === value
    ? value
    : JSON.stringify(value);
