/** How long each movement takes at speed 1, in ms. Slower is dull, and below 500 an eye can't follow. */
export const times = {
  publish: 700,
  /** The time that a card stands still in the exchange while the matching bindings light up. */
  decide: 550,
  route: 850,
  deliver: 750,
  /** The time that a consumer shows a message that needs no acknowledgement. */
  receive: 900,
  ack: 600,
  requeue: 900,
  fall: 700,
  /** The time that a card stands still so that its badge can be read. */
  read: 1600,
  tidy: 250,
} as const;
