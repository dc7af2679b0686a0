import { isUtf8 } from "node:buffer";
import { inspect } from "node:util";
import { text } from "shared";
import type { Content, Said } from "./messages.ts";
import type { FieldTable } from "./methods.ts";

/** What a line consists of, to be coloured. */
export interface Description {
  arrow: "→" | "←";
  method: string;
  /** `routing-key=kern.critical`, `durable` and so on, and at the end `23 bytes "…"`. */
  details: string[];
}

/** Characters of a value that a line shows. */
const LONGEST = 120;

/** They have no meaning any more, or are always the same. */
const meaningless = new Set([
  "ticket",
  "versionMajor",
  "versionMinor",
  "locale",
  "locales",
  "capabilities",
  "insist",
  "knownHosts",
  "outOfBand",
  "channelId",
  "clusterId",
]);
/** Which method a channel or connection is closed for, if for one. */
const meaninglessIfZero = new Set(["classId", "methodId"]);
/** Here an empty string means something: the default exchange, a queue that the broker names, no routing key. */
const meaningfulIfEmpty = new Set(["exchange", "queue", "routingKey", "source", "destination"]);

/**
 * Puts what has been said into one line for people, without what has no meaning or its usual value.
 *
 * @param said What.
 * @param protocol What the connection speaks.
 * @returns Printable text.
 */
export function describe(said: Said, protocol: string | undefined): Description {
  const arrow = said.direction === "to-broker" ? "→" : "←";
  const { method, channel, bytes, content } = said;
  const problem = said.problem === undefined ? [] : [text(`(${said.problem})`)];
  if (method === "opaque") return { arrow, method: `${bytes} bytes`, details: [`of ${protocol}`] };
  if (method === "protocol-header") return { arrow, method, details: [protocol ?? ""] };
  if (method === "undecodable") return { arrow, method, details: [`${bytes} bytes`, ...problem] };
  const { serverProperties, clientProperties, ...fields } = said.fields as Record<string, unknown>;
  return {
    arrow,
    method,
    details: [
      ...(channel > 1 ? [`channel=${channel}`] : []),
      ...inWords(briefly(serverProperties ?? clientProperties)),
      ...inWords(fields),
      ...inWords(content?.properties ?? {}),
      ...(content ? [`${content.size} bytes`, ...quoted(content)] : []),
      ...problem,
    ],
  };
}

/** Who one is talking to, of all that a peer says about itself. */
function briefly(properties: unknown): FieldTable {
  const { product, version, connection_name } = (properties ?? {}) as FieldTable;
  return { product, version, connection_name };
}

function inWords(fields: object): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (meaningless.has(name) || isNothing(name, value)) return [];
    const spelt = name.replace(/_|(?=[A-Z])/g, "-").toLowerCase();
    return [value === true ? spelt : `${spelt}=${shown(value)}`];
  });
}

const isNothing = (name: string, value: unknown): boolean =>
  value === undefined ||
  value === false ||
  (value === "" && !meaningfulIfEmpty.has(name)) ||
  (value === 0 && meaninglessIfZero.has(name)) ||
  (isTable(value) && Object.keys(value).length === 0);

const isTable = (value: unknown): value is FieldTable =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function shown(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "?" : value.toISOString();
  if (typeof value !== "string") return cut(inspect(value, onOneLine));
  return /^[^\s"'={}[\]]+$/.test(value) ? cut(value) : `"${cut(value)}"`;
}

const onOneLine = { breakLength: Number.POSITIVE_INFINITY, compact: true, maxStringLength: LONGEST };

function quoted({ body }: Content): string[] {
  if (body.length === 0) return [];
  // A character has four bytes at most.
  return [`"${cut(body.toString("utf8", 0, LONGEST * 4))}"`];
}

/** Cut before it is made printable, so that an escape sequence stays whole. */
const cut = (long: string): string =>
  long.length > LONGEST ? `${text(long.slice(0, LONGEST))}…` : text(long);

/**
 * Puts what has been said into JSON, with all of its fields. A body is text where it is UTF-8, else base64.
 *
 * @param said What.
 * @returns An object for `JSON.stringify`.
 */
export function toJson({ content, ...said }: Said): object {
  if (!content) return said;
  const { body, ...rest } = content;
  return {
    ...said,
    ...rest,
    ...(isUtf8(body) ? { body: body.toString() } : { bodyBase64: body.toString("base64") }),
  };
}
