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
  "invitation",
]);
/** Of these, each tells all there is. */
const whole = new Set<LiveEvent["type"]>([
  "topology",
  "cluster",
  "speed",
  "stepping",
  "broker",
  "invitation",
]);
const begins = new Set<LiveEvent["type"]>(["pattern", "scenario"]);
/** What stays when another scenario begins. */
const lasting = new Set<LiveEvent["type"]>(["pattern", "speed", "stepping", "invitation"]);

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

  /**
   * Drops of the older half what isn't needed to draw, and the lines; of what tells all there is, the last one stays. If
   * that is not much, as after thousands of programs, the older half goes as a whole, but for the pattern and scenario.
   */
  #drop(): void {
    const half = Math.floor(this.#entries.length / 2);
    const [older, newer] = [this.#entries.slice(0, half), this.#entries.slice(half)];
    this.#dropped = newer[0]?.id ?? 0;
    const last = new Map(this.#entries.map((entry) => [entry.type, entry]));
    const needed = older.filter(
      (entry) =>
        state.has(entry.type) &&
        entry.type !== "line" &&
        (!whole.has(entry.type) || last.get(entry.type) === entry),
    );
    const kept =
      needed.length < half / 2 ? needed : needed.filter(({ type }) => begins.has(type) || whole.has(type));
    this.#entries = [...kept, ...newer];
  }
}

/** Whatever came from a message, a name or a program is shown as text, with control characters made visible. */
const jsonOf = (event: LiveEvent): string => {
  const sent: Sent = { ...event, at: Math.round(performance.now()) };
  return JSON.stringify(sent, (_, value: unknown) => (typeof value === "string" ? text(value) : value));
};
