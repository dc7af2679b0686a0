/** What became of all messages, each known by its publisher and its number. */
export interface Figures {
  published: number;
  confirmed: number;
  /** How many different messages. */
  received: number;
  /** How often one was received or dead-lettered again. */
  duplicates: number;
  /** How many different messages the broker has dead-lettered. */
  "dead-lettered": number;
  /** Confirmed, and neither received nor dead-lettered. */
  lost: string[];
}

const PUBLISHED = 1;
const CONFIRMED = 2;
const RECEIVED = 4;
const DEAD = 8;

/** Keeps account of every single message, at one byte each. */
export class Ledger {
  readonly #pages = new Map<string, Uint8Array>();
  readonly #counts = { published: 0, confirmed: 0, received: 0, duplicates: 0, "dead-lettered": 0 };

  /** A publisher has sent it, for the first time or again. */
  published(id: string): void {
    if (this.#mark(id, PUBLISHED)) this.#counts.published++;
  }

  /** The broker has taken responsibility for it. */
  confirmed(id: string): void {
    if (this.#mark(id, CONFIRMED)) this.#counts.confirmed++;
  }

  /** A consumer has it. */
  received(id: string): void {
    if (this.#mark(id, RECEIVED)) this.#counts.received++;
    else this.#counts.duplicates++;
  }

  /** The broker has dead-lettered it, since no consumer could handle it. */
  deadLettered(id: string): void {
    if (this.#mark(id, DEAD)) this.#counts["dead-lettered"]++;
    else this.#counts.duplicates++;
  }

  figures(): Figures {
    const lost: string[] = [];
    for (const [publisher, page] of this.#pages)
      for (const [number, marks] of page.entries())
        if (marks & CONFIRMED && !(marks & (RECEIVED | DEAD))) lost.push(`${publisher}-${number}`);
    return { ...this.#counts, lost };
  }

  /** Whether it had not been marked so before. */
  #mark(id: string, mark: number): boolean {
    const [, publisher, digits] = /^(.+)-(\d+)$/.exec(id) ?? [];
    if (publisher === undefined) throw new Error(`"${id}" is no message of ours.`);
    const number = Number(digits);
    let page = this.#pages.get(publisher) ?? new Uint8Array(1024);
    if (number >= page.length) {
      const longer = new Uint8Array(2 * number);
      longer.set(page);
      page = longer;
    }
    this.#pages.set(publisher, page);
    const marks = page[number] ?? 0;
    page[number] = marks | mark;
    return !(marks & mark);
  }
}
