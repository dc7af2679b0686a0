import { text } from "shared";
import type { Message, Value } from "../protocol.ts";

/** What is kept of a message: as it was published, delivered or traced. */
export interface Content {
  exchange: string;
  key: string;
  /** By AMQP's names in camel case, `headers` among them. */
  properties: Record<string, unknown>;
  /** At least the first `KEPT` bytes. */
  body: Buffer;
  /** Of the whole body, in bytes. */
  size: number;
}

/** Of a message whose content has not come. */
export const empty: Pick<Content, "properties" | "body" | "size"> = {
  properties: {},
  body: Buffer.alloc(0),
  size: 0,
};

/** Bytes of a body that are compared and shown. */
const KEPT = 512;
/** Characters of a value in a header, and elements of a table or list: the rest is left out. */
const LONGEST = 200;
const MOST = 32;

/**
 * What tells one message from another. Alike messages have the same mark, and are interchangeable to a viewer.
 *
 * @returns A string that stays the same when the message is dead-lettered to another exchange with another key.
 */
export function markOf({ properties, body, size }: Pick<Content, "properties" | "body" | "size">): string {
  const { messageId = "", correlationId = "" } = properties;
  return `${size} ${messageId} ${correlationId} ${body.toString("latin1", 0, KEPT)}`;
}

/** A message as the page shows it: short. */
export function messageOf(id: number, { exchange, key, properties, body, size }: Content): Message {
  const { headers, ...others } = properties;
  return {
    id,
    exchange,
    key,
    body: text(body.subarray(0, KEPT)),
    size,
    properties: tableOf(others),
    headers: tableOf(headers),
  };
}

/**
 * A table of AMQP's as JSON, at most 32 entries of it.
 *
 * @param table Headers or arguments; anything else counts as none.
 */
export function tableOf(table: unknown): Record<string, Value> {
  return isTable(table) ? (jsonOf(table) as Record<string, Value>) : {};
}

/**
 * A value of AMQP's as JSON: long strings are cut, bytes become text, and numbers that JSON can't hold become strings.
 */
export function jsonOf(value: unknown, depth = 0): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === "string") return value.slice(0, LONGEST);
  if (value instanceof Uint8Array) return text(value.subarray(0, LONGEST));
  if (value instanceof Date) return value.toISOString();
  if (depth > 4) return "…";
  if (Array.isArray(value)) return value.slice(0, MOST).map((each) => jsonOf(each, depth + 1));
  const entries: [string, Value][] = [];
  for (const [name, each] of Object.entries(value)) {
    if (entries.length === MOST) break;
    if (each !== undefined) entries.push([text(name.slice(0, LONGEST)), jsonOf(each, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
