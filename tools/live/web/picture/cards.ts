import type { Message } from "../../src/protocol.ts";
import { cut, keyOf, visible } from "../text.ts";
import { card } from "./geometry.ts";
import { type Point, put, setAttributes, svg } from "./svg.ts";

/** Degrees of hue. None is red, amber or green: those say how a message fares. */
const hues = [265, 345, 225, 120, 305, 50];

export type Fate = "good" | "warn" | "bad";

/** One message as it is drawn: as a card on its way, in a queue, or in a program's hands. */
export class Card {
  readonly message: Message;
  readonly group: SVGGElement;
  at: Point;
  /** What stays in the queue of a delivered message until it is acknowledged. */
  ghost: Card | undefined;
  /** The key of the program that holds it. */
  holder: string | undefined;

  constructor(message: Message, at: Point) {
    const { width, height } = card;
    this.message = message;
    this.at = at;
    this.group = svg(
      "g",
      { class: "card" },
      svg("rect", { class: "paper", x: -width / 2, y: -height / 2, width, height, rx: 7 }),
      svg("text", { class: "key", x: -width / 2 + 8, y: -4 }, cut(keyOf(message), 13)),
      svg("text", { class: "body", x: -width / 2 + 8, y: 13 }, cut(visible(message.body), 16)),
      svg("title", {}, `${keyOf(message)}: ${visible(message.body)}`),
    );
    this.group.dataset.message = String(message.id);
    colour(this.group, message);
    put(this.group, at);
  }

  /** The outline that is left in the queue while a program holds the message. */
  leaveGhost(): Card {
    const ghost = new Card(this.message, this.at);
    ghost.group.classList.add("ghost");
    this.ghost = ghost;
    return ghost;
  }

  /** @param text `undefined` takes the badge away. */
  mark(text: string | undefined, fate: Fate = "bad"): void {
    this.group.querySelector(".badge")?.remove();
    if (text === undefined) return;
    const mark = badge(text, fate);
    const width = Number(mark.dataset.width);
    setAttributes(mark, {
      transform: `translate(${card.width / 2 - width / 2 + 8} ${-card.height / 2 - 4})`,
    });
    this.group.append(mark);
  }
}

const signs: Record<Fate, string> = { good: "✓", warn: "↺", bad: "✕" };

/** A word with its sign, so that no meaning hangs on a colour alone. */
export function badge(text: string, fate: Fate): SVGGElement {
  const width = text.length * 6.5 + 28;
  const group = svg(
    "g",
    { class: `badge ${fate}` },
    svg("rect", { x: -width / 2, y: -10, width, height: 20, rx: 10 }),
    svg("text", { y: 4 }, `${signs[fate]} ${text}`),
  );
  group.dataset.width = String(width);
  return group;
}

/** Gives an element the colour of a message. */
export function colour(element: SVGElement, { id }: Message): void {
  const hue = hues[id % hues.length];
  element.style.setProperty("--hue", `light-dark(oklch(50% .16 ${hue}), oklch(80% .13 ${hue}))`);
}
