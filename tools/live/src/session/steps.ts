import { text } from "shared";
import type { Connection, Held, Said } from "wire";
import type { HeldMethod, LiveEvent } from "../protocol.ts";

/** Characters of a body that are shown while it is held. */
const SHOWN = 80;

const names: Partial<Record<Said["method"], HeldMethod>> = {
  "basic.publish": "publish",
  "basic.deliver": "deliver",
  "basic.get-ok": "deliver",
  "basic.ack": "ack",
  "basic.nack": "nack",
  "basic.reject": "nack",
};

/** What is held on the wires, message by message, until the learner lets it go. */
export class Steps {
  readonly #say: (event: LiveEvent) => void;
  readonly #held = new Map<number, Held>();
  #number = 0;

  constructor(say: (event: LiveEvent) => void) {
    this.#say = say;
  }

  held(terminal: string, held: Held): void {
    const { method, fields, content } = held.said;
    const what = names[method];
    if (!what) return;
    const hold = ++this.#number;
    this.#held.set(hold, held);
    this.#say({
      type: "held",
      basis: "seen",
      hold,
      terminal,
      what,
      exchange: "exchange" in fields ? fields.exchange : "",
      key: "routingKey" in fields ? fields.routingKey : "",
      body: text(content?.body ?? "").slice(0, SHOWN),
    });
  }

  /** Lets one go, by default the one that has been held longest. */
  release(hold = this.#held.keys().next().value): boolean {
    const held = hold === undefined ? undefined : this.#held.get(hold);
    if (hold === undefined || !held) return false;
    this.#forget(hold);
    held.pass();
    return true;
  }

  /** Forgets all: they have been let go, or their connections are gone. */
  clear(): void {
    for (const hold of [...this.#held.keys()]) this.#forget(hold);
  }

  /** A connection is gone, and what was held on it. */
  disconnected(connection: Connection): void {
    for (const [hold, held] of this.#held) if (held.connection === connection) this.#forget(hold);
  }

  #forget(hold: number): void {
    this.#held.delete(hold);
    this.#say({ type: "released", basis: "seen", hold });
  }
}
