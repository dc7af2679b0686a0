import type { ClusterNode, Queue } from "../../src/protocol.ts";
import { count, cut, short } from "../text.ts";
import type { Card } from "./cards.ts";
import { card, type Size } from "./geometry.ts";
import { PictureNode } from "./node.ts";
import { type Point, setAttributes, svg } from "./svg.ts";

const PAD = 9;
const STEP = card.width + 8;
/** Cards that a queue has at most. Of a longer one the others are counted. */
const MOST = 24;

/** A queue with its cards, the next one to leave at the right. A stream is drawn alike, but keeps what it delivers. */
export class QueueNode extends PictureNode {
  readonly queue: Queue;
  /** In the queue's order: the next one to leave first. */
  cards: Card[] = [];
  readonly #box = svg("rect", { class: "box", rx: 10, "aria-hidden": "true" });
  readonly #slots = svg("g");
  readonly #title = svg("text", { class: "title halo" });
  readonly #type = svg("text", { class: "sub halo", "text-anchor": "end" });
  readonly #count = svg("text", { class: "sub halo" });
  readonly #hint = svg("text", { class: "hint halo", "text-anchor": "end", "aria-hidden": "true" });
  readonly #cursors = svg("g", { class: "cursors" });
  readonly #members = svg("g", { class: "members" });
  /** The next offset of each reader, by the reader's name. */
  readonly #readers = new Map<string, number>();
  #first = 0;
  #slotCount = 3;
  /** How many messages it holds that are not drawn. */
  beyond = 0;

  constructor(queue: Queue) {
    super(`queue ${queue.name}`, "queue");
    this.#box.append(svg("title", {}, short(queue.name)));
    this.queue = queue;
    if (queue.type === "stream") this.group.classList.add("stream");
    this.group.append(
      this.#box,
      this.#slots,
      this.#title,
      this.#type,
      this.#count,
      this.#hint,
      this.#cursors,
      this.#members,
    );
  }

  get isStream(): boolean {
    return this.queue.type === "stream";
  }

  resize({ width, height, slots }: Size & { slots: number }): void {
    Object.assign(this, { width, height });
    this.#slotCount = slots;
    const roomy = slots > 1;
    const kind = this.queue.exclusive && roomy ? `${this.queue.type} · exclusive` : this.queue.type;
    setAttributes(this.#box, { width, height });
    setAttributes(this.#title, { x: 2, y: -10 });
    this.#title.textContent = cut(short(this.queue.name), roomy ? 24 : 15);
    setAttributes(this.#type, roomy ? { x: width - 2, y: -10 } : { x: width - 2, y: height + 18 });
    this.#type.textContent = kind;
    setAttributes(this.#count, { x: 2, y: height + 18 });
    setAttributes(this.#hint, { x: width - 2, y: height + 18 });
    this.#hint.textContent = roomy && !this.isStream ? "next out ▸" : "";
    this.#slots.replaceChildren(
      ...Array.from({ length: slots }, (_, index) =>
        svg("rect", {
          class: "slot",
          x: PAD + index * STEP,
          y: (height - card.height) / 2,
          width: card.width,
          height: card.height,
          rx: 7,
        }),
      ),
    );
    this.tell();
  }

  /** Where a card stands that has so many before it. */
  slot(index: number): Point {
    const y = this.y + this.height / 2;
    if (this.isStream) {
      const shown = Math.max(0, index - Math.max(0, this.cards.length - this.#slotCount));
      return { x: this.x + PAD + card.width / 2 + shown * STEP, y };
    }
    const shown = Math.min(index, this.#slotCount - 1);
    const beyond = Math.min(index - shown, 3);
    return {
      x: this.x + this.width - PAD - card.width / 2 - shown * STEP - (this.#slotCount > 1 ? beyond * 3 : 0),
      y: this.#slotCount > 1 ? y : y - beyond * 4,
    };
  }

  /** Whether a stream's card has moved out of the part of the log that is shown. */
  isHidden(index: number): boolean {
    return this.isStream && index < this.cards.length - this.#slotCount;
  }

  /**
   * Puts a card to its place: at the end, but before what is less urgent in a queue with priorities.
   *
   * @returns Its index.
   */
  add(card: Card): number {
    const most = this.queue.arguments["x-max-priority"];
    const urgency = ({ message }: Card) =>
      Math.min(Number(message.properties.priority ?? 0), Number(most ?? 0));
    const index = this.cards.findLastIndex((other) => urgency(other) >= urgency(card)) + 1;
    this.cards.splice(index, 0, card);
    return index;
  }

  /** Whether no more cards are drawn. */
  get isFull(): boolean {
    return this.cards.length >= MOST || (this.beyond > 0 && !this.isStream);
  }

  clear(): void {
    this.cards = [];
    this.beyond = 0;
  }

  /** One of the messages that are not drawn is gone. */
  lose(): void {
    this.beyond = Math.max(0, this.beyond - 1);
    this.tell();
  }

  /** @returns A stream's first card, which is drawn no longer. */
  forgetOldest(): Card | undefined {
    this.beyond++;
    this.#first++;
    return this.cards.shift();
  }

  /** Tells how many messages it holds, if that can't be seen. */
  tell(): void {
    const number = this.cards.length + this.beyond;
    const isSeen = number <= this.#slotCount && !this.isStream;
    this.#write(isSeen ? "" : count(number, "message"));
    this.#drawCursors();
  }

  /** Tells how many messages it holds when there are too many to draw any. */
  total({ ready, unacked }: { ready: number; unacked: number }): void {
    this.beyond = ready + unacked - this.cards.length;
    this.#write(`${ready.toLocaleString("en")} ready · ${unacked.toLocaleString("en")} unacked`);
  }

  #write(text: string): void {
    this.#count.textContent = text;
    const quiet = this.#slotCount === 1 && text !== "";
    this.#type.setAttribute("visibility", quiet ? "hidden" : "visible");
    const slots = [...this.#slots.children];
    // The first of them stands at the left, and the next one out at the right.
    for (const [index, slot] of (this.isStream ? slots : slots.reverse()).entries())
      slot.classList.toggle("taken", index >= this.cards.length && index < this.cards.length + this.beyond);
  }

  /** Moves a reader's cursor behind the entry that it has been given. @param index Its card's, if it has one. */
  read(reader: string, offset: number, index: number | undefined): void {
    if (index !== undefined) this.#first = offset - index;
    this.#readers.set(reader, offset + 1);
    this.#drawCursors();
  }

  /** Shows on which nodes of a cluster it lives, the leader first. */
  showMembers(members: string[], nodes: ClusterNode[]): void {
    let x = 2;
    const y = this.height + (this.#count.textContent ? 36 : 18);
    this.#members.replaceChildren(
      ...members.map((member, index) => {
        const running = nodes.find(({ name }) => name === member)?.running ?? true;
        const label = `${running ? (index === 0 ? "★" : "●") : "✕"} ${member.replace(/@.*/, "")}${index === 0 ? " leads" : ""}`;
        const text = svg("text", { class: running ? "member halo" : "member down halo", x, y }, label);
        x += label.length * 7.2 + 12;
        return text;
      }),
    );
  }

  #drawCursors(): void {
    const from = Math.max(0, this.cards.length - this.#slotCount);
    this.#cursors.replaceChildren(
      ...[...this.#readers].map(([reader, next], row) => {
        const place = next - this.#first - from;
        const x = PAD + Math.max(0, Math.min(this.#slotCount, place)) * STEP - 4;
        const words = `${cut(reader, 16)}: next ${next}`;
        const end = place > 1;
        return svg(
          "g",
          { class: "cursor" },
          svg("path", { d: `M${x} ${this.height - 6}V${this.height + 10 + row * 14}` }),
          svg(
            "text",
            {
              class: "halo",
              x: end ? x - 5 : x + 5,
              y: this.height + 14 + row * 14,
              "text-anchor": end ? "end" : "start",
            },
            words,
          ),
        );
      }),
    );
  }
}
