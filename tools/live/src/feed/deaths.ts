import type { Context } from "./context.ts";
import { copyOf, type Entry, type Known, unknown } from "./ledger.ts";
import { type Route, route } from "./routing.ts";

export type Death = "rejected" | "expired" | "pushed-out" | "delivery-limit" | "gone";

/** As `x-death` calls them, by RabbitMQ's name. */
const reasons: Record<string, Death> = {
  rejected: "rejected",
  expired: "expired",
  maxlen: "pushed-out",
  delivery_limit: "delivery-limit",
};

interface Dead extends Known {
  from: string;
  copy: number;
}

/** How many dead messages are remembered, in case one of them is met again. */
const REMEMBERED = 1000;

/**
 * The ways of messages that die. The broker tells nobody of a dead letter: it is inferred from the bindings, and proved
 * by the header `x-death` when the message is next delivered.
 */
export class Deaths {
  readonly #context: Context;
  readonly #dead: Dead[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** A copy has left its queue without being consumed. `by`: the terminal that rejected it, which was seen. */
  died(entry: Entry, why: Death, by?: string): void {
    const { ledger, say } = this.#context;
    ledger.remove(entry);
    if (why === "rejected") say({ type: "rejected", by: by ?? "", ...copyOf(entry) });
    else say({ type: why, ...copyOf(entry) }, "inferred");
    const { view, mark, exchange, key, queue: from, copy } = entry;
    this.#dead.push({ view, mark, exchange, key, from, copy });
    if (this.#dead.length > REMEMBERED) this.#dead.shift();
    if (why !== "gone") this.#deadLetter(entry);
  }

  /**
   * A delivery that no waiting copy explains: of a message that died, as its header says.
   *
   * @param queue Where it is delivered from.
   * @param message What is delivered.
   * @returns Its copy in that queue, if the header and what is known of the dead fit.
   */
  met(queue: string, message: Omit<Known, "view">, headers: Record<string, unknown>): Entry | undefined {
    const death = lastDeath(headers);
    if (!death) return undefined;
    const { ledger, say } = this.#context;
    const there = ledger.findAlike(death.queue, message.mark);
    const known =
      there ?? this.#dead.findLast(({ mark, from }) => mark === message.mark && from === death.queue);
    if (!known) return undefined;
    if (there) {
      ledger.remove(there);
      const why = reasons[death.reason] ?? "gone";
      if (why !== "rejected") say({ type: why, ...copyOf(there) });
      else say({ type: "rejected", by: "outside", ...copyOf(there) });
    }
    const entry = ledger.put(queue, { ...message, view: known.view });
    say({
      type: "dead-lettered",
      copy: known.copy,
      message: known.view.id,
      queue: death.queue,
      exchange: message.exchange,
      key: message.key,
      copies: [copyOf(entry)],
      path: route(this.#context.plan, message.exchange, message.key).path.filter(({ to }) => to === queue),
    });
    return entry;
  }

  #deadLetter(entry: Entry): void {
    const { plan, ledger, say } = this.#context;
    const { deadLetterExchange: exchange, deadLetterKey } = plan.queue(entry.queue) ?? {};
    if (exchange === undefined) return;
    const key = deadLetterKey ?? entry.key;
    const { queues, path } = this.#route(exchange, key, entry);
    const known = entry.view === unknown.view ? unknown : { ...entry, exchange, key };
    const copies = queues.map((queue) => ledger.put(queue, known, { inferred: true }));
    const { copy, message, queue } = entry;
    say(
      { type: "dead-lettered", copy, message, queue, exchange, key, copies: copies.map(copyOf), path },
      "inferred",
    );
  }

  /** The broker drops a message that would go round in a circle without ever being rejected. */
  #route(exchange: string, key: string, { view, queue }: Entry): Route {
    const { queues, path } = route(this.#context.plan, exchange, key, view.headers);
    return { queues: queues.filter((name) => name !== queue || exchange !== ""), path };
  }
}

function lastDeath(headers: Record<string, unknown>): { queue: string; reason: string } | undefined {
  const deaths = headers["x-death"];
  const [first] = Array.isArray(deaths) ? deaths : [];
  if (typeof first !== "object" || first === null) return undefined;
  const { queue, reason } = first as Record<string, unknown>;
  return typeof queue === "string" && typeof reason === "string" ? { queue, reason } : undefined;
}
