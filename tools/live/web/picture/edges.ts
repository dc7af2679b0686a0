import { cut, visible } from "../text.ts";
import { type Direction, kinds } from "./geometry.ts";
import type { PictureNode } from "./node.ts";
import { type Point, setAttributes, svg } from "./svg.ts";

/** What an edge is for: it decides how it is drawn, and where its labels stand. */
export type EdgeKind = "publish" | "binding" | "alternate" | "dead-letter" | "consume";

interface Label {
  text: string;
  group: SVGGElement;
}

/** A way between two nodes, with its labels: the keys of a binding, or how a consumer acknowledges. */
export class Edge {
  readonly from: PictureNode;
  readonly to: PictureNode;
  readonly kind: EdgeKind;
  readonly path: SVGPathElement;
  readonly labels: Label[] = [];
  readonly group = svg("g", { class: "labels" });
  readonly #rate = svg("text", { class: "rate halo" });
  #perSecond = 0;

  constructor(from: PictureNode, to: PictureNode, kind: EdgeKind) {
    this.from = from;
    this.to = to;
    this.kind = kind;
    this.path = svg("path", { class: `edge ${kind}`, "marker-end": "url(#arrow)" });
    this.group.append(this.#rate);
  }

  /** Shows these labels, and no others. */
  label(texts: string[]): void {
    const same =
      texts.length === this.labels.length && texts.every((text, index) => this.labels[index]?.text === text);
    if (same) return;
    for (const { group } of this.labels) group.remove();
    this.labels.length = 0;
    for (const text of texts) {
      const isKey = this.kind === "binding";
      const lines = linesOf(text);
      const width = Math.max(...lines.map(({ length }) => length)) * (isKey ? 8.3 : 6.9) + (isKey ? 18 : 12);
      const height = lines.length * 16 + (isKey ? 9 : 4);
      const group = svg(
        "g",
        { class: `label ${this.kind}` },
        svg("rect", { x: -width / 2, y: -height / 2, width, height, rx: Math.min(12.5, height / 2) }),
        ...lines.map((line, index) =>
          svg("text", { y: (index - (lines.length - 1) / 2) * 16 + (isKey ? 5 : 4) }, line),
        ),
        svg("title", {}, visible(text)),
      );
      group.dataset.height = String(height);
      group.dataset.width = String(width);
      this.labels.push({ text, group });
      this.group.append(group);
    }
  }

  /** Takes note of how many messages a second have passed it just now, and shows a mean that can be read. */
  count(perSecond: number): void {
    this.#perSecond = this.#perSecond === 0 ? perSecond : 0.8 * this.#perSecond + 0.2 * perSecond;
    if (this.#perSecond < 1) this.#perSecond = 0;
    this.#rate.textContent =
      this.#perSecond > 0 ? `${Math.round(this.#perSecond).toLocaleString("en")}/s` : "";
    this.path.classList.toggle("busy", this.#perSecond > 0);
  }

  /** Shows no rate any more. */
  forgetRate(): void {
    this.#perSecond = 0;
    this.count(0);
  }

  /** Lights the way of a message. @param hue The element whose colour it takes. */
  light(hue: SVGElement | undefined): void {
    this.path.classList.toggle("lit", hue !== undefined);
    if (hue) this.path.style.setProperty("--hue", hue.style.getPropertyValue("--hue"));
  }

  /** @param lane The place of a way back among the others that go below, or beside, all nodes. */
  draw(direction: Direction, lane: { at: number; index: number }): void {
    const wide = direction === "wide";
    const steps = kinds.indexOf(this.to.kind) - kinds.indexOf(this.from.kind);
    const ends: [Point, Point] =
      steps > 0
        ? [this.from.port(wide ? "right" : "bottom"), this.to.port(wide ? "left" : "top")]
        : this.#endsOfWayBack(wide, steps);
    const d =
      steps > 0 ? forward(...ends, wide) : steps === 0 ? beside(...ends, wide) : back(...ends, wide, lane);
    setAttributes(this.path, { d });
    this.#placeLabels(wide, steps > 0);
  }

  /** @returns Points along the way, in steps that an eye takes for a curve. */
  points(): Point[] {
    const length = this.path.getTotalLength();
    return Array.from({ length: 25 }, (_, step) => {
      const { x, y } = this.path.getPointAtLength((length * step) / 24);
      return { x, y };
    });
  }

  #endsOfWayBack(wide: boolean, steps: number): [Point, Point] {
    if (steps === 0) {
      const side = wide ? "right" : "bottom";
      return [this.from.port(side), this.to.port(side)];
    }
    const [start, end] = [this.from.port(wide ? "left" : "top"), this.to.port(wide ? "right" : "bottom")];
    const away = wide ? { x: 0, y: 20 } : { x: 34, y: 0 };
    return [
      { x: start.x + away.x, y: start.y + away.y },
      { x: end.x + (wide ? -14 : away.x), y: end.y + (wide ? away.y : -4) },
    ];
  }

  #placeLabels(wide: boolean, ahead: boolean): void {
    const length = this.path.getTotalLength();
    const start = this.path.getPointAtLength(0);
    const middle = this.path.getPointAtLength(length / 2);
    const end = this.path.getPointAtLength(length);
    setAttributes(this.#rate, { x: middle.x, y: middle.y - 14 });
    this.labels.forEach(({ group }, index) => {
      const [labelWidth, height] = [Number(group.dataset.width), Number(group.dataset.height)];
      const at = this.#placeOfLabel(index, { start, middle, end }, labelWidth, height, wide, ahead);
      setAttributes(group, { transform: `translate(${at.x} ${at.y})` });
    });
  }

  #placeOfLabel(
    index: number,
    { start, middle, end }: Record<"start" | "middle" | "end", Point>,
    width: number,
    height: number,
    wide: boolean,
    ahead: boolean,
  ): Point {
    if (this.kind === "dead-letter" && wide) return { x: start.x - 14 - width / 2, y: start.y + 18 };
    if (this.kind !== "binding" || !ahead) {
      // On a narrow screen the heading of the consumers stands below.
      const up = this.kind === "consume" && !wide ? 12 : 0;
      return { x: middle.x, y: middle.y - up + (index - (this.labels.length - 1) / 2) * 22 };
    }
    if (!wide) return { x: end.x, y: end.y - 6 - height / 2 - index * (height + 3) };
    // Above and below the end of the way in turn, so that a card passes between the keys and hides none.
    const away = 23 + height / 2 + Math.floor(index / 2) * (height + 3);
    return { x: end.x - 12 - width / 2, y: end.y + (index % 2 === 0 ? -away : away) };
  }
}

/** A headers exchange's arguments each get a line. */
function linesOf(text: string): string[] {
  if (text === "") return ["(no key)"];
  const parts = text.length > 24 ? text.split(", ") : [text];
  const lines = parts.slice(0, 3).map((line) => cut(visible(line), 20));
  if (parts.length === 1) return [cut(visible(text), 22)];
  return parts.length > 3 ? [...lines.slice(0, 2), `and ${parts.length - 2} more`] : lines;
}

/** From one column to the next. */
function forward(start: Point, end: Point, wide: boolean): string {
  const bend = Math.max(34, (wide ? end.x - start.x : end.y - start.y) * 0.48);
  return wide
    ? `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`
    : `M${start.x} ${start.y}C${start.x} ${start.y + bend} ${end.x} ${end.y - bend} ${end.x} ${end.y}`;
}

/** Between two nodes of the same column, around its side. */
function beside(start: Point, end: Point, wide: boolean): string {
  const out = 62;
  return wide
    ? `M${start.x} ${start.y}C${start.x + out} ${start.y} ${end.x + out} ${end.y} ${end.x} ${end.y}`
    : `M${start.x} ${start.y}C${start.x} ${start.y + out} ${end.x} ${end.y + out} ${end.x} ${end.y}`;
}

/** Against the direction in which messages go: out of the column, along a lane of its own, and in again. */
function back(start: Point, end: Point, wide: boolean, { at, index }: { at: number; index: number }): string {
  const side = 22 + index * 9;
  const r = 12;
  const [a, b, c] = wide ? [start.x - side, at, end.x + side] : [start.y - side / 2, at, end.y + side / 2];
  if (wide)
    return `M${start.x} ${start.y}H${a + r}Q${a} ${start.y} ${a} ${start.y + r}V${b - r}Q${a} ${b} ${a - r} ${b}H${c + r}Q${c} ${b} ${c} ${b - r}V${end.y + r}Q${c} ${end.y} ${c - r} ${end.y}H${end.x}`;
  return `M${start.x} ${start.y}V${a + r}Q${start.x} ${a} ${start.x + r} ${a}H${b - r}Q${b} ${a} ${b} ${a - r}V${c + r}Q${b} ${c} ${b - r} ${c}H${end.x + r}Q${end.x} ${c} ${end.x} ${c - r}V${end.y}`;
}
