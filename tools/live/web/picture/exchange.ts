import type { Exchange } from "../../src/protocol.ts";
import { cut, visible } from "../text.ts";
import type { Size } from "./geometry.ts";
import { PictureNode } from "./node.ts";
import { setAttributes, svg } from "./svg.ts";

/** A hexagon. Its names stand outside, because a message stops within it while its bindings are compared. */
export class ExchangeNode extends PictureNode {
  readonly #box = svg("path", { class: "box", "aria-hidden": "true" });
  readonly #title = svg("text", { class: "title halo" });
  readonly #name: string;
  readonly #type: SVGTextElement;

  constructor({ name, type, internal }: Exchange) {
    const title = name === "" ? "(default)" : visible(name);
    super(`exchange ${name}`, "exchange");
    this.#box.append(svg("title", {}, title));
    this.#name = title;
    const words = name === "" ? "direct: key = queue" : internal ? `${type} · internal` : type;
    this.#type = svg("text", { class: "sub halo" }, visible(words));
    this.group.append(this.#box, this.#title, this.#type);
  }

  resize({ width, height }: Size): void {
    Object.assign(this, { width, height });
    const slope = 24;
    const corners = [
      `${slope} 0`,
      `${width - slope} 0`,
      `${width} ${height / 2}`,
      `${width - slope} ${height}`,
      `${slope} ${height}`,
      `0 ${height / 2}`,
    ];
    setAttributes(this.#box, { d: `M${corners.join("L")}Z` });
    setAttributes(this.#title, { x: width / 2, y: -11 });
    // It may reach over the sides, where others don't stand close by.
    const room = width + (width < 150 ? 6 : 40);
    this.#title.textContent = cut(this.#name, Math.floor(room / 9));
    setAttributes(this.#type, { x: width / 2, y: height + 20 });
  }
}
