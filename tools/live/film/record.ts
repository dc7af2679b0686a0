import { join } from "node:path";
import type { Broker } from "broker";
import type { LiveEvent, Sent } from "../src/protocol.ts";
import { Session } from "../src/session/session.ts";

/** Where the recording of a film is kept. It is part of the repository, and a test compares it with a fresh run. */
export const recordingOf = (root: string, pattern: string): string =>
  join(root, "tools/live/film", `${pattern}.jsonl`);

/** One event a line, so that a change can be read. */
export const asLines = (recording: Sent[]): string =>
  recording.map((event) => `${JSON.stringify(event)}\n`).join("");

export const fromLines = (text: string): Sent[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Sent);

/**
 * Plays a scenario on a real broker, and records what a page would be told.
 *
 * What differs from one run to the next is replaced: times by places, and what the broker and the system make up by
 * what comes first, second and so on.
 *
 * @param root The repository's root.
 * @returns Everything until all has been printed.
 * @throws When the scenario doesn't print what its README shows.
 */
export async function record(
  root: string,
  pattern: string,
  scenario: number,
  broker: Broker,
): Promise<Sent[]> {
  const events: LiveEvent[] = [];
  const say = (event: LiveEvent) => {
    events.push(event);
    // No page says when it has caught up.
    if (event.type === "step" || event.type === "lingering") queueMicrotask(() => session.next(event.turn));
  };
  const session = await Session.open({ root, pattern, broker, say });
  try {
    const { over } = await session.play(scenario);
    await over;
  } finally {
    await session.close();
  }
  const finished = events.find(({ type }) => type === "finished");
  if (finished?.type === "finished" && !finished.ok) throw new Error(finished.difference.join("\n"));
  const end = events.findIndex(({ type }) => type === "lingering");
  return repeatable(events.slice(0, end).filter(({ type }) => type !== "invitation"));
}

/** Names that the broker makes up, and addresses of connections. */
const madeUp = /amq\.(?:gen|ctag)-[\w-]{16,}|127\.0\.0\.1:\d+ -> [\d.]+:\d+/g;
/** A time that a program prints. Its README has an ellipsis there. */
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

function repeatable(events: LiveEvent[]): Sent[] {
  const names = new Map<string, string>();
  const rename = (name: string) => {
    const known = names.get(name);
    if (known) return known;
    const kind = /^amq\.\w+-|^127/.exec(name)?.[0] ?? "";
    const number = [...names.keys()].filter((other) => other.startsWith(kind)).length + 1;
    const replaced = kind === "127" ? `connection ${number}` : `${kind}${number}`;
    names.set(name, replaced);
    return replaced;
  };
  const sent = events.map((event, at) => ({ ...event, at }));
  return JSON.parse(JSON.stringify(sent), (_, value: unknown) =>
    typeof value === "string" ? value.replace(madeUp, rename).replace(time, "…") : value,
  );
}

/**
 * What a recording tells, without what may differ between two runs of the same scenario (the order of things that have
 * nothing to do with each other, the numbers of copies, how many times the broker was asked what it has), or on another
 * version (RabbitMQ 4 counts a dead letter as redelivered), and without what no film shows.
 */
export function shapeOf(recording: Sent[]): string[] {
  const ignored = new Set(["connected", "disconnected", "contents", "confirmed"]);
  const details = new Set(["at", "copy", "copies", "path", "properties", "tag", "topology"]);
  const dead = new Set(recording.flatMap((event) => (event.type === "dead-lettered" ? [event.message] : [])));
  return recording
    .filter(({ type }) => !ignored.has(type))
    .map((event) =>
      event.type === "delivered" && dead.has(event.message) ? { ...event, redelivered: undefined } : event,
    )
    .flatMap((event) => {
      if (event.type === "topology") return event.changes.map((change) => JSON.stringify(change));
      const queues = event.type === "routed" ? { queues: event.copies.map(({ queue }) => queue).sort() } : {};
      return JSON.stringify({ ...event, ...queues }, (name, value) =>
        details.has(name) ? undefined : value,
      );
    })
    .sort();
}
