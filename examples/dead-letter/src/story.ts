import { text } from "shared";

/** A message's headers. Anybody may have written them, so they may be anything. */
type Headers = Record<string, unknown> | undefined;

/** A death: what RabbitMQ notes in `x-death` when a queue gives a message up. */
interface Death {
  reason: string;
  queue: string;
  /** How often it died there for that reason. */
  count: number;
  /** When it last did, in s since 1970. */
  time: number | undefined;
}

/** The header in which we count for ourselves: RabbitMQ 4 begins `x-death` anew with a message that is sent back. */
const countOfReplays = "replays";

/**
 * Tells how a message died, in words.
 *
 * @param headers The message's. Whatever makes no sense in them is left out.
 * @returns One line, safe to print: `expired in orders at 2026-01-31T12:00:00Z, then rejected …`
 */
export function story(headers: Headers): string {
  const deaths = deathsOf(headers).reverse().map(inWords);
  const replays = replaysOf(headers);
  const before = replays > 0 ? ` (sent back before: ${replays})` : "";
  return `${deaths.join(", then ") || "nobody says how it died"}${before}`;
}

/**
 * Where a message died last.
 *
 * @returns The queue's name as the headers have it, or `undefined` if they don't say.
 */
export function diedIn(headers: Headers): string | undefined {
  return deathsOf(headers)[0]?.queue;
}

/**
 * The headers to send a dead message back with: its publisher's own, and the number of times that it was sent back.
 *
 * What the broker wrote stays behind. RabbitMQ 3 would go on with that `x-death`, and drop the message when it takes
 * its next death for a part of a cycle (rabbit_dead_letter.erl, detect_cycles). `CC` and `BCC` would route copies.
 */
export function headersForReplay(headers: Headers): Record<string, unknown> {
  const own = Object.entries(headers ?? {}).filter(([name]) => !written.test(name));
  return { ...Object.fromEntries(own), [countOfReplays]: replaysOf(headers) + 1 };
}

const written = /^x-death$|^x-(first|last)-death-|^x-(delivery|acquired)-count$|^B?CC$/;

const replaysOf = (headers: Headers) => whole(headers?.[countOfReplays]) ?? 0;

/** The latest death comes first. */
function deathsOf(headers: Headers): Death[] {
  const entries: unknown = headers?.["x-death"];
  return Array.isArray(entries) ? entries.map(readDeath).filter((death) => death !== undefined) : [];
}

function readDeath(entry: unknown): Death | undefined {
  const { reason, queue, count: times, time } = Object(entry);
  if (typeof reason !== "string" || typeof queue !== "string") return undefined;
  return { reason, queue, count: whole(times) ?? 1, time: whole(time?.value) };
}

const whole = (value: unknown) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

function inWords({ reason, queue, count, time }: Death): string {
  const say = sayings.get(reason) ?? ((queue) => `given up by ${queue} (${text(reason)})`);
  return `${say(text(queue))}${count > 1 ? ` ${count} times, last` : ""} at ${at(time)}`;
}

const sayings = new Map<string, (queue: string) => string>([
  ["rejected", (queue) => `rejected by a consumer of ${queue}`],
  ["expired", (queue) => `expired in ${queue}`],
  ["maxlen", (queue) => `found no room in ${queue}`],
  ["delivery_limit", (queue) => `delivered too often from ${queue}`],
]);

function at(seconds = Number.NaN): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? "an unknown time" : time.toISOString().replace(".000", "");
}
