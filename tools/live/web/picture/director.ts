import type { Copy, LiveEvent, Sent } from "../../src/protocol.ts";

/** Which events an event waits for, and which later ones wait for it: all those that name the same lane. */
interface Lanes {
  waits: string[];
  holds: string[];
}

/**
 * Decides when each event is shown, in an order and at a pace that an eye can follow.
 *
 * Events about the same message or program are shown one after the other; others may overlap. No event starts before
 * the one that happened before it has started, and what changes the whole picture waits for all that moves.
 */
export class Director {
  readonly #show: (event: Sent) => Promise<void>;
  readonly #onIdle: () => void;
  readonly #lanes = new Map<string, Promise<unknown>>();
  #barrier: Promise<unknown> = Promise.resolve();
  #started: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /**
   * @param show Shows one event; resolves when its movement is over.
   * @param onIdle All that has happened has been shown.
   */
  constructor(show: (event: Sent) => Promise<void>, onIdle: () => void) {
    this.#show = show;
    this.#onIdle = onIdle;
  }

  /** How many events are still to be shown, or being shown. */
  get pending(): number {
    return this.#pending;
  }

  hear(event: Sent): void {
    this.#pending++;
    const lanes = lanesOf(event);
    const before = lanes ? lanes.waits.map((lane) => this.#lanes.get(lane)) : [...this.#lanes.values()];
    const started = Promise.all([this.#barrier, this.#started, ...before]);
    this.#started = started;
    const shown: Promise<void> = started
      .then(() => this.#show(event))
      .catch((error) => console.error(event.type, error))
      .finally(() => {
        for (const lane of lanes?.holds ?? []) if (this.#lanes.get(lane) === shown) this.#lanes.delete(lane);
        if (--this.#pending === 0) this.#onIdle();
      });
    if (lanes) for (const lane of lanes.holds) this.#lanes.set(lane, shown);
    else {
      this.#barrier = shown;
      this.#lanes.clear();
    }
  }
}

const program = (terminal: string) => `program ${terminal}`;
const message = (id: number) => `message ${id}`;
const copyOf = ({ copy }: Copy) => `copy ${copy}`;

/** @returns `undefined` for an event that waits for all before it, and that all after it wait for. */
function lanesOf(event: LiveEvent): Lanes | undefined {
  switch (event.type) {
    case "line":
    case "typed":
    case "pressed":
    case "ended":
    case "connected":
    case "disconnected":
    case "closed":
    case "blocked":
    case "unblocked":
    case "held":
      return lane(program(event.terminal));
    case "published":
      return { waits: [program(event.by)], holds: [message(event.message.id)] };
    case "routed":
      return {
        waits: [message(event.message)],
        holds: [message(event.message), ...event.copies.map(copyOf)],
      };
    case "dropped":
      return lane(message(event.message));
    case "returned":
      return lane(message(event.message), program(event.to));
    case "confirmed":
    case "nacked":
      return { waits: [message(event.message)], holds: [] };
    case "delivered":
      return lane(copyOf(event), program(event.to));
    case "acked":
    case "rejected":
    case "requeued":
      return { waits: [copyOf(event), program(event.by)], holds: [copyOf(event)] };
    case "expired":
    case "pushed-out":
    case "delivery-limit":
    case "purged":
    case "gone":
    case "proved":
      return lane(copyOf(event));
    case "dead-lettered":
      return { waits: [copyOf(event)], holds: [copyOf(event), ...event.copies.map(copyOf)] };
    case "empty":
      return lane(program(event.by));
    case "released":
    case "speed":
    case "stepping":
    case "invitation":
    case "notice":
      return { waits: [], holds: [] };
    case "pattern":
    case "scenario":
    case "step":
    case "lingering":
    case "finished":
    case "broker":
    case "terminal":
    case "topology":
    case "cluster":
    case "totals":
    case "contents":
      return undefined;
  }
}

const lane = (...names: string[]): Lanes => ({ waits: names, holds: names });
