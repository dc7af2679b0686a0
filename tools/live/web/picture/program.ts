import type { Message } from "../../src/protocol.ts";
import { cut, visible } from "../text.ts";
import { badge, colour, type Fate } from "./cards.ts";
import { card, type Kind, type Size } from "./geometry.ts";
import { PictureNode } from "./node.ts";
import { type Point, setAttributes, svg } from "./svg.ts";

const EDGE = 13;

/** A program: a script in its terminal, the learner by hand, or a client that the page doesn't know. */
export class ProgramNode extends PictureNode {
  name: string;
  /** The terminal that it runs in now. */
  terminal = "";
  /** How many messages it has in hand. */
  readonly hands = new Set<number>();
  readonly #label = svg("title");
  readonly #box = svg("rect", { class: "box", rx: 10, "aria-hidden": "true" }, this.#label);
  readonly #prompt = svg("text", { class: "prompt", x: EDGE, y: 26, "aria-hidden": "true" }, "❯");
  readonly #title = svg("text", { class: "title", x: 31, y: 26 });
  readonly #words = svg("text", { class: "words", x: EDGE, y: 48 });
  readonly #says = svg("text", { class: "says", x: EDGE });
  readonly #lamp = svg("circle", { class: "lamp", cy: 20, r: 5.5 });
  readonly #chips = svg("g", { class: "chips" });
  readonly #badges = svg("g");
  readonly #script: string;
  #arguments = "";
  #said = "";

  constructor(key: string, kind: Kind, script: string) {
    super(key, kind);
    this.name = script;
    this.#script = script;
    this.group.classList.add("program");
    this.group.append(
      this.#box,
      this.#prompt,
      this.#title,
      this.#words,
      this.#says,
      this.#lamp,
      this.#chips,
      this.#badges,
    );
  }

  resize({ width, height }: Size): void {
    Object.assign(this, { width, height });
    setAttributes(this.#box, { width, height });
    setAttributes(this.#lamp, { cx: width - 17 });
    setAttributes(this.#chips, { transform: `translate(${EDGE} ${height - 9})` });
    this.#write();
    this.#placeChips();
  }

  /** @param name Tells it from others that run the same script. @param words The arguments it was started with. */
  describe(name: string, words: string): void {
    this.name = name;
    this.#arguments = words;
    this.#said = "";
    this.#label.textContent = `${this.#script} ${visible(words)}`;
    this.#write();
  }

  /** @param name As in sentences: its whole command, or its script and a number. */
  rename(name: string): void {
    this.name = name;
    this.#write();
  }

  say(line: string): void {
    this.#said = visible(line).trim();
    this.#write();
  }

  /** @param state "running", "ended" or "lost", whose connection broke. */
  set state(state: "running" | "ended" | "lost") {
    // How it ended is worth more than that it did.
    if (state === "ended" && this.group.classList.contains("lost")) return;
    this.group.classList.toggle("ended", state === "ended");
    this.group.classList.toggle("lost", state === "lost");
    if (state === "lost") this.say("✕ connection lost");
  }

  /** Where it holds a message. */
  dock(place: number): Point {
    const y = this.kind === "consumer" ? 82 : 62;
    return {
      x:
        this.x +
        EDGE +
        card.width / 2 +
        Math.min(place, 4) * Math.min(18, (this.width - card.width - 2 * EDGE) / 4),
      y: this.y + y,
    };
  }

  /** Shows for a moment what the broker told it. @returns The badge, to be taken away. */
  mark(text: string, fate: Fate): SVGGElement {
    const mark = badge(text, fate);
    setAttributes(mark, {
      transform: `translate(${this.width - Number(mark.dataset.width) / 2 - 8} ${this.height})`,
    });
    this.#badges.replaceChildren(mark);
    return mark;
  }

  /** Keeps a chip of each message that it has had, so that the picture still shows at its end who got what. */
  keep(message: Message): SVGGElement {
    const known = message.exchange === "" || message.key === "" ? message.body : message.key;
    const text = cut(visible(known) || "(empty)", 13);
    const width = text.length * 6.6 + 14;
    const chip = svg(
      "g",
      { class: "chip" },
      svg("rect", { y: -18, width, height: 18, rx: 9 }),
      svg("text", { x: 7, y: -5 }, text),
    );
    chip.dataset.width = String(width);
    colour(chip, message);
    this.#chips.append(chip);
    this.#placeChips();
    return chip;
  }

  #write(): void {
    const room = (this.width - 2 * EDGE) / 7.9;
    // What is short stands in one line.
    const oneLine = this.kind === "consumer" && this.name.length <= (this.width - 50) / 8.6;
    const second = oneLine ? "" : visible(this.#arguments);
    const first = oneLine ? this.name : this.#script;
    this.#title.textContent = cut(visible(first), Math.floor((this.width - 50) / 8.4));
    this.#words.textContent = cut(second, Math.floor(room));
    this.#says.textContent = cut(this.#said, Math.floor(room));
    const crowded = this.kind === "consumer" && second !== "" && this.hands.size > 0;
    setAttributes(this.#says, { y: second === "" ? 48 : 66, visibility: crowded ? "hidden" : "visible" });
  }

  /** Two rows of chips, the latest last; the oldest ones make room. */
  #placeChips(): void {
    for (;;) {
      const rows: SVGElement[][] = [[]];
      let x = 0;
      for (const chip of this.#chips.children) {
        if (!(chip instanceof SVGElement)) continue;
        const width = Number(chip.dataset.width);
        if (x > 0 && x + width > this.width - 2 * EDGE) {
          rows.push([]);
          x = 0;
        }
        chip.dataset.x = String(x);
        rows.at(-1)?.push(chip);
        x += width + 4;
      }
      rows.forEach((row, index) => {
        const y = (index - rows.length + 1) * 22;
        for (const chip of row) setAttributes(chip, { transform: `translate(${chip.dataset.x} ${y})` });
      });
      if (rows.length <= (this.kind === "consumer" ? 2 : 1)) return;
      this.#chips.firstElementChild?.remove();
    }
  }
}
