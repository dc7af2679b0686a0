/** What goes wrong, and what the report calls it. */
export const kinds = {
  cut: "connection cut",
  closed: "connection closed by an operator",
  worker: "worker killed",
  alarm: "memory alarm",
  broker: "broker killed",
  leader: "leader killed",
  theft: "message stolen",
} as const;

export type Kind = keyof typeof kinds;

/**
 * What comes by itself: so many of each kind among twenty. The heavy ones take seconds, so they are few. A theft loses
 * a message, and only comes when it is asked for.
 */
export const usual: readonly Kind[] = [
  ...Array<Kind>(9).fill("cut"),
  ...Array<Kind>(5).fill("worker"),
  ...Array<Kind>(2).fill("alarm"),
  ...Array<Kind>(2).fill("broker"),
  "closed",
  "leader",
];

export interface Fault {
  kind: Kind;
  /** A random number from 0 up to 1 each time: whom it strikes, and when. */
  random: () => number;
}

/**
 * Faults without end. They come like cards: shuffled, and when all have been dealt, shuffled again.
 *
 * @param seed A whole number. The same one gives the same faults.
 * @param deck The cards.
 */
export function* faults(seed: number, deck: readonly Kind[]): Generator<Fault, never> {
  const random = randomNumbers(seed);
  for (;;) {
    const cards = [...deck];
    while (cards.length > 0) {
      const [kind] = cards.splice(Math.floor(random() * cards.length), 1) as [Kind];
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
