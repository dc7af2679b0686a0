/**
 * What goes wrong, what the report calls it, and how many of thirty faults are of that kind. The heavy ones take seconds,
 * so they are few. A theft loses a message, and only comes when it is asked for.
 */
export const kinds = {
  cut: { name: "connection cut", cards: 7 },
  setup: { name: "cut during setup", cards: 5 },
  silent: { name: "silent peer", cards: 2 },
  "half-open": { name: "half-open connection", cards: 2 },
  closed: { name: "connection closed by an operator", cards: 1 },
  worker: { name: "worker killed", cards: 4 },
  full: { name: "queue full", cards: 2 },
  poison: { name: "poison message", cards: 2 },
  unreadable: { name: "message that ends connections", cards: 1 },
  alarm: { name: "memory alarm", cards: 2 },
  broker: { name: "broker killed", cards: 1 },
  leader: { name: "leader killed", cards: 1 },
  theft: { name: "message stolen", cards: 0 },
} as const;

export type FaultKind = keyof typeof kinds;

/** What comes by itself. */
export const usual: readonly FaultKind[] = (Object.keys(kinds) as FaultKind[]).flatMap((kind) =>
  Array<FaultKind>(kinds[kind].cards).fill(kind),
);

export interface Fault {
  kind: FaultKind;
  /** A random number from 0 up to 1 each time: whom it strikes, and when. */
  random: () => number;
}

/**
 * Faults without end. They come like cards: shuffled, and when all have been dealt, shuffled again.
 *
 * @param seed A whole number. The same one gives the same faults.
 * @param deck The cards.
 */
export function* faults(seed: number, deck: readonly FaultKind[]): Generator<Fault, never> {
  const random = randomNumbers(seed);
  for (;;) {
    const cards = [...deck];
    while (cards.length > 0) {
      const [kind] = cards.splice(Math.floor(random() * cards.length), 1) as [FaultKind];
      // Numbers of its own, so that how many it takes changes nothing for those that follow.
      yield { kind, random: randomNumbers(random() * 2 ** 32) };
    }
  }
}

/**
 * Mulberry32, a small generator of pseudo-random numbers by Tommy Ettinger: 32 bits of state are enough to choose faults.
 *
 * @param seed A whole number.
 * @returns What gives the next number, from 0 up to 1.
 */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
