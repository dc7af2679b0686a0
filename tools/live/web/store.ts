import { computed, signal } from "@preact/signals";
import type { Catalogue, ObjectName, Sent, Terminal, Topology } from "../src/protocol.ts";
import { Messages } from "./messages.ts";
import { Programs } from "./programs.ts";
import { heldInWords, inWords } from "./words.ts";

export interface ScreenLine {
  /** Differs from those of all other lines. */
  id: number;
  kind: "command" | "printed" | "typed" | "pressed";
  text: string;
}

/** A terminal as it is shown: all runs of a script that ends share one. */
export interface Screen {
  key: string;
  terminal: Terminal;
  lines: ScreenLine[];
  running: boolean;
  how: string;
}

export interface Entry {
  /** Differs from those of all other entries. */
  id: number;
  /** ms since the server started. */
  at: number;
  text: string;
  inferred: boolean;
}

export type PanelName = "lesson" | "source" | "try" | "log" | "object";

/** Lines and entries of which no more are kept: the oldest make room. */
const MOST_LINES = 500;
const MOST_ENTRIES = 5000;

const empty: Topology = { exchanges: [], queues: [], bindings: [], consumers: [] };

/** Everything that the page shows, apart from the picture. */
export const store = {
  programs: new Programs(),
  messages: new Messages(),
  catalogue: signal<Catalogue | undefined>(undefined),
  connected: signal(true),
  /** Whether the pattern can be played: the server has opened it, and the picture shows it. */
  ready: signal(false),
  /** The pattern that the server has open. */
  pattern: signal(""),
  scenario: signal<number | undefined>(undefined),
  /** The block of the scenario that plays, as a place in the lesson. */
  block: signal<number | undefined>(undefined),
  /** What the lesson says of what happens now. */
  narration: signal(""),
  /** What has just been shown, in a sentence. */
  sentence: signal(""),
  /** The turn that the server awaits, and what for. */
  turn: signal<{ turn: number; ends: boolean } | undefined>(undefined),
  playing: signal(false),
  difference: signal<string[]>([]),
  screens: signal<Screen[]>([]),
  log: signal<Entry[]>([]),
  topology: signal<Topology>(empty),
  speed: signal(1),
  stepping: signal(false),
  held: signal<{ hold: number; text: string }[]>([]),
  restarting: signal(false),
  /** Where programs that run elsewhere may connect to. */
  invitation: signal(""),
  selected: signal<ObjectName | undefined>(undefined),
  panel: signal<PanelName>("lesson"),
  /** What went wrong last, in a sentence. */
  trouble: signal(""),
};

export const openPattern = computed(() =>
  store.catalogue.value?.groups
    .flatMap(({ patterns }) => patterns)
    .find(({ name }) => name === store.pattern.value),
);

/**
 * Takes over what an event changes, at the moment when the picture shows it.
 *
 * @returns The keys of the programs that have made room for another.
 */
export function apply(event: Sent): string[] {
  const { programs, messages } = store;
  const replaced: string[] = [];
  if (event.type === "published") messages.add(event.message);
  if (event.type === "delivered") messages.add(event.content);
  if (event.type === "contents")
    for (const queue of event.queues) for (const { message } of queue.oldest) messages.add(message);
  switch (event.type) {
    case "pattern":
      clear();
      store.pattern.value = event.name;
      store.scenario.value = undefined;
      store.log.value = [];
      break;
    case "scenario":
      clear();
      store.scenario.value = event.index;
      store.playing.value = true;
      break;
    case "step":
      store.turn.value = { turn: event.turn, ends: false };
      store.block.value = event.block;
      store.narration.value = event.narration.at(-1) ?? store.narration.value;
      break;
    case "lingering":
      store.turn.value = { turn: event.turn, ends: true };
      break;
    case "finished":
      store.turn.value = undefined;
      store.playing.value = false;
      store.difference.value = event.difference;
      break;
    case "speed":
      store.speed.value = event.factor;
      break;
    case "stepping":
      store.stepping.value = event.messages;
      break;
    case "broker":
      store.restarting.value = event.state === "restarting";
      break;
    case "terminal":
      for (const { key } of programs.open(event.terminal).replaced) replaced.push(key);
      store.turn.value = undefined;
      if (!event.terminal.isGuest) openScreen(event.terminal, replaced);
      break;
    case "invitation":
      store.invitation.value = event.amqpUrl;
      break;
    case "line":
      write(event.terminal, { kind: "printed", text: event.text });
      break;
    case "typed":
      write(event.terminal, { kind: "typed", text: event.text });
      break;
    case "pressed":
      write(event.terminal, { kind: "pressed", text: event.key });
      break;
    case "ended":
      programs.end(event.terminal);
      update(event.terminal, (screen) => ({ ...screen, running: false, how: event.how }));
      break;
    case "topology":
      programs.consume(event.topology);
      store.topology.value = event.topology;
      break;
    case "held":
      store.held.value = [
        ...store.held.value,
        { hold: event.hold, text: heldInWords(event.what, programs.name(event.terminal)) },
      ];
      break;
    case "released":
      store.held.value = store.held.value.filter(({ hold }) => hold !== event.hold);
      break;
  }
  record(event);
  return replaced;
}

/** ms between two sentences on how many messages there are: totals come ten times as often. */
const BETWEEN_TOTALS = 1_000;

/** The message that was shown to be delivered last. */
let lastDelivered: number | undefined;
let lastTotals = Number.NEGATIVE_INFINITY;
/** Lines and entries that there have been. */
let ids = 0;

function record(event: Sent): void {
  if (event.type === "delivered") lastDelivered = event.message;
  if (event.type === "totals") {
    if (event.at - lastTotals < BETWEEN_TOTALS) return;
    lastTotals = event.at;
  }
  const text = inWords(event, { ...store, readerOf });
  if (text === undefined) return;
  if (!isQuiet(event)) store.sentence.value = text;
  if (event.type === "totals" && store.log.peek().at(-1)?.text.startsWith("More messages")) return;
  const entry = { id: ++ids, at: event.at, text, inferred: "basis" in event && event.basis === "inferred" };
  store.log.value = [...store.log.value.slice(-MOST_ENTRIES), entry];
}

/** @returns The name of the program that reads from a queue. */
export function readerOf(queue: string): string | undefined {
  const consumer = store.topology.peek().consumers.find((each) => each.queue === queue);
  return consumer && store.programs.name(consumer.terminal);
}

/** What the log tells, but is no news to somebody who looks at the picture. */
function isQuiet(event: Sent): boolean {
  // Of a message that has arrived nobody needs to be told that the broker has it.
  if (event.type === "confirmed") return event.message === lastDelivered;
  if (event.type === "disconnected") return event.unacked === 0;
  return ["terminal", "connected", "topology", "ended", "proved"].includes(event.type);
}

function clear(): void {
  store.programs.clear();
  store.messages.clear();
  store.screens.value = [];
  store.block.value = undefined;
  store.narration.value = "";
  store.sentence.value = "";
  store.turn.value = undefined;
  store.playing.value = false;
  store.difference.value = [];
  store.held.value = [];
  store.topology.value = empty;
  store.selected.value = undefined;
}

function openScreen(terminal: Terminal, replaced: string[]): void {
  const key = store.programs.find(terminal.id)?.key ?? terminal.id;
  const command: ScreenLine = {
    id: ++ids,
    kind: "command",
    text: `$ ${terminal.script} ${terminal.words}`.trim(),
  };
  const screens = store.screens.value.filter((screen) => !replaced.includes(screen.key));
  const known = screens.find((screen) => screen.key === key);
  const screen: Screen = {
    key,
    terminal,
    lines: [...(known?.lines ?? []), command],
    running: true,
    how: "",
  };
  store.screens.value = known
    ? screens.map((each) => (each === known ? screen : each))
    : [...screens, screen];
}

function write(terminal: string, said: Omit<ScreenLine, "id">): void {
  const line = { ...said, id: ++ids };
  update(terminal, (screen) => ({ ...screen, lines: [...screen.lines.slice(-MOST_LINES), line] }));
}

function update(terminal: string, change: (screen: Screen) => Screen): void {
  const key = store.programs.find(terminal)?.key;
  store.screens.value = store.screens.value.map((screen) => (screen.key === key ? change(screen) : screen));
}
