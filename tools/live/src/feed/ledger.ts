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
  readonly holder: string | undefined;
  deliveries: number;
  /** Its place in a stream. */
  readonly offset: number | undefined;
  /** Whether it was only inferred that it is here: after a dead letter. */
  inferred: boolean;
  /** ms, by performance.now() */
  readonly since: number;
}

/** Copies of each queue that are known one by one. What is more is counted only, so that the ledger doesn't grow. */
export const LISTED = 2_000;

/** The account of one queue. */
class Account {
  /** Those that are known one by one, by their numbers: in the queue's order, the next one out first. */
  readonly listed = new Map<number, Written>();
  /** Of these, those that no consumer holds, by their marks. */
  readonly waiting = new Map<string, Set<Written>>();
  ready = 0;
  unacked = 0;
  /** How many of those that are ready are not listed. They are behind those that are; in a stream, before them. */
  unlisted = 0;
  /** Of a stream: the place of the next message. */
  nextOffset = 0;

  list(entry: Written): void {
    entry.place = "listed";
    this.listed.set(entry.copy, entry);
    this.beginWaiting(entry);
  }

  strike(entry: Written, place: "unlisted" | "gone"): void {
    entry.place = place;
    this.listed.delete(entry.copy);
    this.endWaiting(entry);
  }

  beginWaiting(entry: Written): void {
    const alike = this.waiting.get(entry.mark);
    if (alike) alike.add(entry);
    else this.waiting.set(entry.mark, new Set([entry]));
  }

  endWaiting(entry: Written): void {
    const alike = this.waiting.get(entry.mark);
    alike?.delete(entry);
    if (alike?.size === 0) this.waiting.delete(entry.mark);
  }
}

interface Written extends Entry {
  readonly account: Account;
  holder: string | undefined;
  place: "listed" | "unlisted" | "gone";
}

/** Keeps account of the copies in each queue, in the queue's order. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  #copies = 0;

  /**
   * Puts a copy at a queue's end.
   *
   * @param more `offset`: the queue is a stream, and this its place there.
   * @returns The copy. It is listed only if there is room.
   */
  put(queue: string, known: Known, more: { inferred?: boolean; offset?: number } = {}): Entry {
    const account = this.#accounts.get(queue) ?? new Account();
    this.#accounts.set(queue, account);
    const entry = this.#entry(queue, account, known, more);
    account.ready++;
    if (more.offset !== undefined) {
      account.list(entry);
      account.nextOffset = Math.max(account.nextOffset, more.offset + 1);
      const [oldest] = account.listed.values();
      // A stream can be read from anywhere, but what is shown of it is its end.
      if (oldest && account.listed.size > LISTED) {
        account.strike(oldest, "unlisted");
        account.unlisted++;
      }
    } else if (account.unlisted === 0 && account.listed.size < LISTED && known !== unknown)
      account.list(entry);
    else account.unlisted++;
    return entry;
  }

  /**
   * One of the copies that are counted only: it is being delivered, or has died.
   *
   * @param know Tells what is known of it by now, if anything.
   * @param offset Its place in a stream.
   * @returns `undefined` if there is none.
   */
  anyUnlisted(queue: string, know: () => Known = () => unknown, offset?: number): Entry | undefined {
    const account = this.#accounts.get(queue);
    if (!account || account.unlisted === 0) return undefined;
    const [first] = account.listed.values();
    if (offset !== undefined && offset >= (first?.offset ?? 0)) return undefined;
    return this.#entry(queue, account, know(), offset === undefined ? {} : { offset });
  }

  /** A consumer has been given a copy, and is to acknowledge it. */
  hold(entry: Entry, terminal: string): void {
    const written = this.#written(entry);
    if (!written || written.holder !== undefined) return;
    const { account } = written;
    written.holder = terminal;
    account.ready--;
    account.unacked++;
    if (written.place === "listed") account.endWaiting(written);
    else account.unlisted--;
  }

  /**
   * A consumer gives a copy back to its place.
   *
   * @returns Whether the queue still has it: it may be gone, and its messages with it.
   */
  giveBack(entry: Entry): boolean {
    const written = this.#written(entry);
    if (written?.holder === undefined) return false;
    const { account } = written;
    written.holder = undefined;
    account.ready++;
    account.unacked--;
    if (written.place === "listed") account.beginWaiting(written);
    else account.unlisted++;
    return true;
  }

  /** A copy has left its queue. */
  remove(entry: Entry): void {
    const written = this.#written(entry);
    if (!written) return;
    const { account, place, holder } = written;
    if (holder === undefined) {
      account.ready--;
      if (place === "unlisted") account.unlisted--;
    } else account.unacked--;
    account.strike(written, "gone");
  }

  /** The copies in a queue that are known one by one. */
  in(queue: string): Entry[] {
    return [...(this.#accounts.get(queue)?.listed.values() ?? [])];
  }

  /** The first of them, at most so many. */
  oldest(queue: string, most: number): Entry[] {
    const oldest: Entry[] = [];
    for (const entry of this.#accounts.get(queue)?.listed.values() ?? []) {
      if (oldest.length === most) break;
      oldest.push(entry);
    }
    return oldest;
  }

  /** Where the next message of a stream has its place. */
  nextOffset(stream: string): number {
    return this.#accounts.get(stream)?.nextOffset ?? 0;
  }

  /** The copies that no consumer holds, as far as they are known one by one. */
  waiting(queue: string): Entry[] {
    return this.in(queue).filter(({ holder }) => holder === undefined);
  }

  /** The copy that has waited longest, or, of one that is counted only, what stands for it. */
  firstWaiting(queue: string): Entry | undefined {
    for (const entry of this.#accounts.get(queue)?.listed.values() ?? [])
      if (entry.holder === undefined) return entry;
    return this.anyUnlisted(queue);
  }

  /** As `firstWaiting`, for the one that came last. */
  lastWaiting(queue: string): Entry | undefined {
    return this.anyUnlisted(queue) ?? this.waiting(queue).at(-1);
  }

  /** How many copies no consumer holds. */
  ready(queue: string): number {
    return this.#accounts.get(queue)?.ready ?? 0;
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
    for (const entry of this.#accounts.get(queue)?.waiting.get(mark) ?? []) {
      const sameWay = entry.exchange === address.exchange && entry.key === address.key;
      if (sameWay && entry.deliveries > 0 === redelivered) return entry;
      // 4.3 says of a dead letter that had been delivered elsewhere that it comes again.
      second ??= sameWay || entry.inferred ? entry : undefined;
    }
    return second;
  }

  /** Finds any copy that waits and has this mark. */
  findAlike(queue: string, mark: string): Entry | undefined {
    const [first] = this.#accounts.get(queue)?.waiting.get(mark) ?? [];
    return first;
  }

  /** Finds a copy by its place in a stream. */
  findAt(stream: string, offset: number): Entry | undefined {
    for (const entry of this.#accounts.get(stream)?.listed.values() ?? [])
      if (entry.offset === offset) return entry;
    return undefined;
  }

  /** Forgets the copies that wait in a queue and are counted only. */
  forgetUnlisted(queue: string): void {
    const account = this.#accounts.get(queue);
    if (!account) return;
    account.ready -= account.unlisted;
    account.unlisted = 0;
  }

  /** Forgets a queue that is gone, with its copies. */
  drop(queue: string): void {
    this.#accounts.delete(queue);
  }

  get queues(): string[] {
    return [...this.#accounts.keys()];
  }

  /** How many copies each queue has. */
  counts(): Map<string, { ready: number; unacked: number }> {
    return new Map([...this.#accounts].map(([queue, { ready, unacked }]) => [queue, { ready, unacked }]));
  }

  #entry(
    queue: string,
    account: Account,
    { view, mark, exchange, key }: Known,
    { inferred = false, offset }: { inferred?: boolean; offset?: number },
  ): Written {
    return {
      account,
      place: "unlisted",
      copy: ++this.#copies,
      message: view.id,
      queue,
      view,
      mark,
      exchange,
      key,
      holder: undefined,
      deliveries: 0,
      offset,
      inferred,
      since: performance.now(),
    };
  }

  /** @returns `undefined` when the copy is gone, or its queue. */
  #written(entry: Entry): Written | undefined {
    const written = entry as Written;
    const isThere = this.#accounts.get(entry.queue) === written.account && written.place !== "gone";
    // What was counted only may have been counted down by others.
    const isCounted =
      written.place === "listed" || written.holder !== undefined || written.account.unlisted > 0;
    return isThere && isCounted ? written : undefined;
  }
}

/** An entry's part that the page gets. */
export const copyOf = ({ copy, message, queue }: Entry): Copy => ({ copy, message, queue });

/** Of a copy that is counted only and has not been delivered, nothing is known. */
export const unknown: Known = {
  view: { id: 0, exchange: "", key: "", size: 0, body: "", properties: {}, headers: {} },
  mark: "",
  exchange: "",
  key: "",
};
