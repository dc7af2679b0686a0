import type { Contents, Happening, Totals } from "../protocol.ts";

/** The lists of `Totals` that are counted here. */
type Lists = Pick<
  Totals,
  "published" | "routed" | "dropped" | "confirmed" | "delivered" | "acked" | "requeued" | "died"
>;

/** Counts what happens on each edge of the picture. */
export class Tally {
  readonly #lists: { [Name in keyof Lists]: Map<string, Lists[Name][number]> } = {
    published: new Map(),
    routed: new Map(),
    dropped: new Map(),
    confirmed: new Map(),
    delivered: new Map(),
    acked: new Map(),
    requeued: new Map(),
    died: new Map(),
  };

  /** @returns Whether it is one that each message causes: it is counted then, or says no more than those that are. */
  count(happening: Happening): boolean {
    const lists = this.#lists;
    switch (happening.type) {
      case "published": {
        const { by, message } = happening;
        const { exchange } = message;
        edge(lists.published, `${by} ${exchange}`, { by, exchange, count: 0 }).count++;
        return true;
      }
      case "routed":
        for (const { queue } of happening.copies) {
          const exchange = happening.path.find(({ to }) => to === queue)?.exchange ?? "";
          edge(lists.routed, `${exchange} ${queue}`, { exchange, queue, count: 0 }).count++;
        }
        return true;
      case "dropped": {
        const { exchange } = happening;
        edge(lists.dropped, exchange, { exchange, count: 0 }).count++;
        return true;
      }
      case "confirmed":
      case "nacked": {
        const { to } = happening;
        const counted = edge(lists.confirmed, to, { to, count: 0, nacked: 0 });
        counted.count++;
        if (happening.type === "nacked") counted.nacked++;
        return true;
      }
      case "delivered": {
        const { queue, to } = happening;
        const counted = edge(lists.delivered, `${queue} ${to}`, { queue, to, count: 0, redelivered: 0 });
        counted.count++;
        if (happening.redelivered) counted.redelivered++;
        return true;
      }
      case "acked": {
        const { queue, by } = happening;
        edge(lists.acked, `${queue} ${by}`, { queue, by, count: 0 }).count++;
        return true;
      }
      case "requeued": {
        const { queue, by } = happening;
        edge(lists.requeued, `${queue} ${by}`, { queue, by, count: 0 }).count++;
        return true;
      }
      case "rejected":
      case "expired":
      case "pushed-out":
      case "delivery-limit":
      case "purged":
      case "gone": {
        const { queue } = happening;
        edge(lists.died, queue, { queue, count: 0 }).count++;
        return true;
      }
      case "returned":
      case "dead-lettered":
      case "proved":
      case "empty":
        return true;
      default:
        return false;
    }
  }

  /**
   * @param span ms that have been counted.
   * @param contents What the queues hold now.
   */
  totals(span: number, { queues }: Contents): Totals {
    const lists = this.#lists;
    return {
      type: "totals",
      span,
      published: [...lists.published.values()],
      routed: [...lists.routed.values()],
      dropped: [...lists.dropped.values()],
      confirmed: [...lists.confirmed.values()],
      delivered: [...lists.delivered.values()],
      acked: [...lists.acked.values()],
      requeued: [...lists.requeued.values()],
      died: [...lists.died.values()],
      queues: queues.map(({ name, ready, unacked }) => ({ name, ready, unacked })),
    };
  }
}

function edge<T>(list: Map<string, T>, name: string, zero: T): T {
  const known = list.get(name) ?? zero;
  list.set(name, known);
  return known;
}
