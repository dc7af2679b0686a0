import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventLog } from "../src/server/event-log.ts";
import { LineLimit } from "../src/session/line-limit.ts";

interface Heard {
  id: number;
  type: string;
  text?: string;
}

/** What a page hears that begins to listen now. */
function heardBy(log: EventLog, after = 0): Heard[] {
  const heard: Heard[] = [];
  log.follow(after, ({ id, json }) => heard.push({ id, ...JSON.parse(json) }));
  return heard;
}

const newLog = () => new EventLog(() => ({ type: "contents", queues: [] }));
const line = (text: string) => ({ type: "line", terminal: "t1", text }) as const;
const empty = { type: "empty", basis: "seen", queue: "q", by: "t1" } as const;

describe("the log", () => {
  test("begins anew with a pattern, and with a scenario keeps which pattern it is", () => {
    const log = newLog();
    log.say(line("before"));
    log.say({ type: "pattern", name: "topics", title: "topics" });
    log.say({ type: "speed", factor: 2 });
    log.say(line("one"));
    log.say({ type: "scenario", index: 0, heading: "Run it" });
    log.say(line("two"));
    expect(heardBy(log).map(({ type }) => type)).toEqual(["pattern", "speed", "scenario", "line"]);
  });

  test("tells those who listen, until they leave", () => {
    const log = newLog();
    const heard: number[] = [];
    const leave = log.follow(0, ({ id }) => heard.push(id));
    log.say(line("one"));
    leave();
    log.say(line("two"));
    expect(heard).toEqual([1]);
  });

  test("makes control characters visible in every string", () => {
    const log = newLog();
    log.say(line("\x1b[2J red\u202e"));
    expect(heardBy(log)[0]?.text).toBe("\\x1b[2J red\\u202e");
  });

  test("is bounded: a new page then gets what it takes to draw, and what the queues hold", () => {
    const log = newLog();
    log.say({ type: "pattern", name: "topics", title: "topics" });
    log.say({ type: "terminal", terminal: { id: "t1", script: "", words: "", command: "", stays: false } });
    for (let number = 0; number < 50_000; number++) log.say(empty);
    const heard = heardBy(log);
    expect(heard.map(({ type }) => type)).toEqual(["pattern", "terminal", "contents"]);
    // Of what tells all there is, the last is enough.
    const changed = newLog();
    changed.say({ type: "pattern", name: "topics", title: "topics" });
    const topology = { exchanges: [], queues: [], bindings: [], consumers: [] };
    for (let number = 0; number < 50_000; number++)
      changed.say({ type: "topology", basis: "seen", topology, changes: [] });
    for (let number = 0; number < 10_000; number++) changed.say(empty);
    expect(heardBy(changed).map(({ type }) => type)).toEqual(["pattern", "topology", "contents"]);
    // One that was there a moment ago needs only the rest.
    expect(heardBy(log, 49_999).map(({ id }) => id)).toEqual([50_000, 50_001, 50_002]);
  });
});

describe("a program that prints without an end", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("shows some lines at a time, and how many more there were", () => {
    const shown: string[] = [];
    const limit = new LineLimit((text) => shown.push(text));
    for (let number = 0; number < 1_000; number++) limit.line(`line ${number}`);
    expect(shown.length).toBe(50);
    vi.advanceTimersByTime(100);
    expect(shown.at(-1)).toBe("… 950 more lines");
    limit.line("slow");
    expect(shown.at(-1)).toBe("slow");
    limit.flush();
    expect(shown.length).toBe(52);
  });
});
