import type { Trace } from "./firehose.ts";
import { markOf } from "./values.ts";

/** ms that a delivery's trace waits for the delivery itself to pass a wire. */
const PATIENCE = 500;
/** Deliveries that are remembered without their trace. Of some, 3.10 has none: replies to amq.rabbitmq.reply-to. */
const MOST = 10_000;

/**
 * Tells deliveries to clients that we don't know from those that pass our wires, whose traces come as well. A trace names
 * the connection, but not always by a name that we know.
 */
export class Outsiders {
  readonly #on: (trace: Trace) => void;
  /** By mark: how many have passed a wire, and have not been traced. */
  readonly #ours = new Map<string, number>();

  /** @param on Hears of a delivery to somebody else. */
  constructor(on: (trace: Trace) => void) {
    this.#on = on;
  }

  /** A message has been delivered through one of our wires. */
  passed(mark: string): void {
    this.#ours.set(mark, (this.#ours.get(mark) ?? 0) + 1);
    const [oldest] = this.#ours.keys();
    if (this.#ours.size > MOST && oldest !== undefined) this.#ours.delete(oldest);
  }

  /** A delivery's trace, which may come before the delivery. */
  traced(trace: Trace): void {
    const mark = markOf(trace);
    if (this.#take(mark)) return;
    setTimeout(() => {
      if (!this.#take(mark)) this.#on(trace);
    }, PATIENCE);
  }

  #take(mark: string): boolean {
    const count = this.#ours.get(mark);
    if (count === undefined) return false;
    if (count > 1) this.#ours.set(mark, count - 1);
    else this.#ours.delete(mark);
    return true;
  }
}
