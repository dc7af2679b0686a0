import { text } from "shared";
import type { Contents, LiveEvent, Sent } from "../protocol.ts";

/** Entries that are kept. At more, the oldest that only tell what has happened are dropped. */
const MOST = 10_000;

interface Entry {
  id: number;
  type: LiveEvent["type"];
  json: string;
}

/** Without these, a page can't draw anything. */
const state = new Set<LiveEvent["type"]>([
  "pattern",
  "scenario",
  "step",
  "lingering",
  "finished",
  "speed",
  "stepping",
  "broker",
  "terminal",
  "line",
  "typed",
  "pressed",
  "ended",
  "notice",
  "topology",
  "cluster",
]);
/** What stays when another scenario begins. */
const lasting = new Set<LiveEvent["type"]>(["pattern", "speed", "stepping"]);

/** What has happened since the pattern was opened, for pages that come later or come back. */
export class EventLog {
  readonly #contents: () => Contents | undefined;
  readonly #listeners = new Set<(entry: Entry) => void>();
  #entries: Entry[] = [];
  #ids = 0;
  /** The last one that was dropped. */
  #dropped = 0;

  /** @param contents What the queues hold now, for pages that can't be told everything. */
  constructor(contents: () => Contents | undefined) {
    this.#contents = contents;
  }

  say(event: LiveEvent): void {
    if (event.type === "pattern") this.#entries = [];
    if (event.type === "scenario") this.#entries = this.#entries.filter(({ type }) => lasting.has(type));
    const entry = { id: ++this.#ids, type: event.type, json: jsonOf(event) };
    this.#entries.push(entry);
    if (this.#entries.length > MOST) this.#drop();
    for (const listener of this.#listeners) listener(entry);
  }

  /**
   * Tells what has happened and what will.
   *
   * @param after The number of the last event that the page knows, or 0.
   * @param listener Hears each event.
   * @returns What ends it.
   */
  follow(after: number, listener: (entry: Pick<Entry, "id" | "json">) => void): () => void {
    const known = after <= this.#ids ? after : 0;
    // Of the events that it would need, some are gone: what there is now stands for them.
    const isBehind = known < this.#dropped;
    for (const entry of this.#entries) {
      if (entry.id <= known) continue;
      if (!isBehind || state.has(entry.type)) listener(entry);
    }
    const contents = isBehind ? this.#contents() : undefined;
    if (contents) listener({ id: this.#ids, json: jsonOf(contents) });
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Drops half of what isn't needed to draw, and of the lines, if they are the most. */
  #drop(): void {
    const half = this.#entries.length / 2;
    const needed = (entry: Entry, index: number) =>
      index >= half || (state.has(entry.type) && entry.type !== "line");
    this.#dropped = this.#entries[Math.floor(half)]?.id ?? 0;
    this.#entries = this.#entries.filter(needed);
  }
}

/** Whatever came from a message, a name or a program is shown as text, with control characters made visible. */
const jsonOf = (event: LiveEvent): string => {
  const sent: Sent = { ...event, at: Math.round(performance.now()) };
  return JSON.stringify(sent, (_, value: unknown) => (typeof value === "string" ? text(value) : value));
};
