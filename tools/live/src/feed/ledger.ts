import type { Copy, Message } from "../protocol.ts";

/** A message that has been seen. */
export interface Known {
  readonly view: Message;
  /** See `markOf`. */
  readonly mark: string;
  /** What it is delivered with. A dead letter's are others than the message was published with. */
  readonly exchange: string;
  readonly key: string;
}

/** A message in a queue, as the ledger has it. */
export interface Entry extends Copy, Known {
  /** The terminal that has not acknowledged it yet. */
  holder: string | undefined;
  deliveries: number;
  /** Its place in a stream. */
  offset: number | undefined;
  /** Whether it was only inferred that it is here: after a dead letter. */
  inferred: boolean;
  /** ms, by performance.now() */
  readonly since: number;
}

/** Keeps account of the copies in each queue, in the queue's order. */
export class Ledger {
  readonly #queues = new Map<string, Entry[]>();
  #copies = 0;

  /** Puts a copy at a queue's end. */
  put(
    queue: string,
    { view, mark, exchange, key }: Known,
    more: { inferred?: boolean; offset?: number } = {},
  ): Entry {
    const entry: Entry = {
      copy: ++this.#copies,
      message: view.id,
      queue,
      view,
      mark,
      exchange,
      key,
      holder: undefined,
      deliveries: 0,
      offset: more.offset,
      inferred: more.inferred ?? false,
      since: performance.now(),
    };
    const entries = this.#queues.get(queue);
    if (entries) entries.push(entry);
    else this.#queues.set(queue, [entry]);
    return entry;
  }

  remove(entry: Entry): void {
    const entries = this.#queues.get(entry.queue) ?? [];
    const index = entries.indexOf(entry);
    if (index >= 0) entries.splice(index, 1);
  }

  /** All copies in a queue. */
  in(queue: string): readonly Entry[] {
    return this.#queues.get(queue) ?? [];
  }

  /** The copies that no consumer holds. */
  waiting(queue: string): Entry[] {
    return this.in(queue).filter(({ holder }) => holder === undefined);
  }

  /**
   * Finds the copy that is being delivered: the first one that waits and looks like it.
   *
   * @param redelivered What the delivery says: of alike copies, those that have been delivered before come first then.
   */
  find(
    queue: string,
    mark: string,
    address: { exchange: string; key: string },
    redelivered: boolean,
  ): Entry | undefined {
    let second: Entry | undefined;
    for (const entry of this.in(queue)) {
      if (entry.holder !== undefined || entry.mark !== mark) continue;
      const sameWay = entry.exchange === address.exchange && entry.key === address.key;
      if (sameWay && entry.deliveries > 0 === redelivered) return entry;
      // 4.3 says of a dead letter that had been delivered elsewhere that it comes again.
      second ??= sameWay || entry.inferred ? entry : undefined;
    }
    return second;
  }

  /** Forgets a queue that is gone, with its copies. */
  drop(queue: string): void {
    this.#queues.delete(queue);
  }

  get queues(): string[] {
    return [...this.#queues.keys()];
  }

  /** How many copies each queue has. */
  counts(): Map<string, { ready: number; unacked: number }> {
    return new Map(
      [...this.#queues].map(([queue, entries]) => {
        const ready = entries.reduce((sum, { holder }) => sum + (holder === undefined ? 1 : 0), 0);
        return [queue, { ready, unacked: entries.length - ready }];
      }),
    );
  }
}

/** An entry's part that the page gets. */
export const copyOf = ({ copy, message, queue }: Entry): Copy => ({ copy, message, queue });
