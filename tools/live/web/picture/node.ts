import { type Kind, margins, type Placed, type Size } from "./geometry.ts";
import { type Point, svg } from "./svg.ts";

/** A box of the picture: a program, an exchange or a queue. */
export abstract class PictureNode implements Placed {
  readonly key: string;
  readonly kind: Kind;
  readonly group: SVGGElement;
  x = 0;
  y = 0;
  width = 0;
  height = 0;

  constructor(key: string, kind: Kind) {
    this.key = key;
    this.kind = kind;
    // A button, named by what is written on it: it opens what is known of the object.
    this.group = svg("g", { class: `node ${kind}`, tabindex: 0, role: "button" });
    this.group.dataset.node = key;
  }

  /** Draws it at a size; called again whenever that changes. */
  abstract resize(size: Size & { slots: number }): void;

  place(): void {
    this.group.setAttribute("transform", `translate(${this.x} ${this.y})`);
  }

  /** Where its edges end. */
  port(side: "left" | "right" | "top" | "bottom"): Point {
    const { x, y, width, height } = this;
    const { above, below } = margins[this.kind];
    switch (side) {
      case "left":
        return { x, y: y + height / 2 };
      case "right":
        return { x: x + width, y: y + height / 2 };
      case "top":
        return { x: x + width / 2, y: y - (this.kind === "queue" ? above - 4 : 0) };
      case "bottom":
        return { x: x + width / 2, y: y + height + (this.kind === "queue" ? below - 8 : 0) };
    }
  }

  get center(): Point {
    return { x: this.x + this.width / 2, y: this.y + this.height / 2 };
  }
}
