import type { Queue } from "../protocol.ts";
import type { Context } from "./context.ts";
import type { Death, Deaths } from "./deaths.ts";
import { copyOf, type Entry } from "./ledger.ts";
import { REPLY } from "./publishing.ts";
import type { Counted } from "./topology.ts";

/** How often in a row messages must be missing; and in a queue on several nodes, which take a while to elect a leader. */
const USUALLY = 4;
const OFTEN = 20;
/** ms after which a reply that its requester has not been given is taken for lost: the requester has gone. */
const REPLY_LOST = 1_000;
/** Messages of a queue that are taken for dead at once. More wait for the next comparison. */
const AT_ONCE = 10_000;

/**
 * Compares the account of each queue with the broker's count. The broker has no event for a message that expires, or
 * makes room in a full queue: its count falls. Where that is so more than once, messages are missing at the queue's head.
 */
export class Reconciliation {
  readonly #context: Context;
  readonly #deaths: Deaths;
  readonly #suspects = new Map<string, number>();
  /** How often in a row a queue had more than its account. */
  readonly #surplus = new Map<string, number>();
  /** What queues on several nodes had lost, as it seemed: a leader that is elected late has it again. */
  readonly #lost = new Map<string, Entry[]>();

  constructor(context: Context, deaths: Deaths) {
    this.#context = context;
    this.#deaths = deaths;
  }

  /**
   * @param queues With the management API's counts.
   * @param count Counts one queue exactly.
   * @returns Whether something waits that may yet die.
   */
  async compare(queues: Counted[], count: (queue: string) => Promise<number | undefined>): Promise<boolean> {
    const { ledger } = this.#context;
    let waits = this.#lostReplies();
    for (const queue of queues) {
      if (queue.type === "stream") continue;
      const { name } = queue;
      const before = ledger.ready(name);
      if (before > 0) waits = true;
      if (before === 0 || !queue.isWhole || (queue.type === "classic" && queue.ready >= before)) {
        this.#suspects.delete(name);
        continue;
      }
      // A queue that is exclusive can't be asked by anybody else.
      const ready = queue.exclusive ? queue.ready : ((await count(name)) ?? before);
      // While asking, something may have come or gone.
      const missing = ledger.ready(name) === before ? before - ready : 0;
      if (queue.nodes) this.#find(name, -missing);
      if (missing <= 0) {
        this.#suspects.delete(name);
        continue;
      }
      const times = (this.#suspects.get(name) ?? 0) + 1;
      this.#suspects.set(name, times);
      if (times < (queue.nodes ? OFTEN : USUALLY)) continue;
      this.#suspects.delete(name);
      const lost = this.#lost.get(name) ?? [];
      this.#lost.set(name, lost);
      for (let died = 0; died < Math.min(missing, AT_ONCE); died++) {
        const entry = refusesNewest(queue) ? ledger.lastWaiting(name) : ledger.firstWaiting(name);
        if (!entry) continue;
        const cause = causeOf(queue, entry, before);
        this.#deaths.died(entry, cause);
        if (queue.nodes && cause === "gone") lost.push(entry);
      }
    }
    return waits;
  }

  /** Puts back what a queue on several nodes had not lost after all. */
  #find(queue: string, surplus: number): void {
    const times = surplus > 0 ? (this.#surplus.get(queue) ?? 0) + 1 : 0;
    this.#surplus.set(queue, times < OFTEN ? times : 0);
    if (times < OFTEN) return;
    const { ledger, say } = this.#context;
    for (const entry of this.#lost.get(queue)?.splice(0, surplus) ?? []) {
      const copies = [copyOf(ledger.put(queue, entry))];
      say({ type: "routed", message: entry.message, copies, path: [] }, "inferred");
    }
  }

  #lostReplies(): boolean {
    const { ledger, say } = this.#context;
    for (const entry of ledger.waiting(REPLY)) {
      if (performance.now() - entry.since < REPLY_LOST) continue;
      ledger.remove(entry);
      say({ type: "dropped", message: entry.message, exchange: "", path: [] }, "inferred");
    }
    return ledger.in(REPLY).length > 0;
  }
}

/** A queue that refuses what has no room lacks its newest messages; any other one its oldest. */
const refusesNewest = ({ arguments: args }: Queue): boolean =>
  String(args["x-overflow"] ?? "").startsWith("reject-publish");

function causeOf({ type, arguments: args }: Queue, entry: Entry, waiting: number): Death {
  if (waiting > Number(args["x-max-length"] ?? Number.POSITIVE_INFINITY)) return "pushed-out";
  if (args["x-message-ttl"] !== undefined || entry.view.properties.expiration !== undefined) return "expired";
  if (args["x-max-length-bytes"] !== undefined) return "pushed-out";
  if (type === "quorum" && entry.deliveries > 0) return "delivery-limit";
  return "gone";
}
