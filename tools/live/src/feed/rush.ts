import type { Contents, Happening, Totals } from "../protocol.ts";
import { Tally } from "./tally.ts";

/** Messages a second from which on there are totals. More cards than that, nobody can follow. */
const RUSH = 30;
/** What is counted: a message is published, and delivered or dies. */
const moves = new Set<Happening["type"]>([
  "published",
  "delivered",
  "expired",
  "pushed-out",
  "delivery-limit",
  "purged",
  "gone",
]);
/** ms in which messages are counted for that, and in which totals are gathered. */
const WINDOW = 1_000;
const SPAN = 100;

/**
 * Stands between a feed and its page: passes happenings on one by one, or, as long as there are more messages than
 * anybody could follow, totals of each edge.
 */
export class Rush {
  readonly #say: (event: Happening | Totals | Contents) => void;
  readonly #contents: () => Contents;
  /** When messages moved, by performance.now(): the last `2 * RUSH` times. */
  readonly #times: number[] = [];
  #totals: Tally | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param say Hears what the page should.
   * @param contents What the queues hold, when it is calm again.
   */
  constructor(say: (event: Happening | Totals | Contents) => void, contents: () => Contents) {
    this.#say = say;
    this.#contents = contents;
  }

  hear(happening: Happening): void {
    const now = performance.now();
    if (moves.has(happening.type)) {
      this.#times.push(now);
      if (this.#times.length > 2 * RUSH) this.#times.shift();
      if (!this.#totals && this.#isRush(now)) this.#begin();
    }
    if (this.#totals?.count(happening)) return;
    this.#say(happening);
  }

  /** Says nothing more. */
  end(): void {
    clearInterval(this.#timer);
    this.#totals = undefined;
  }

  /** Two moves for each message. */
  #isRush(now: number): boolean {
    const [oldest = 0] = this.#times;
    return this.#times.length === 2 * RUSH && now - oldest < WINDOW;
  }

  #begin(): void {
    this.#totals = new Tally();
    this.#timer = setInterval(() => {
      const tally = this.#totals;
      if (!tally) return;
      this.#say(tally.totals(SPAN, this.#contents()));
      if (this.#isRush(performance.now())) {
        this.#totals = new Tally();
        return;
      }
      this.end();
      this.#say(this.#contents());
    }, SPAN);
  }
}
