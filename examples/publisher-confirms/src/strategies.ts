/** Publishes the message with this number. It resolves when the broker has confirmed the message. */
type Publish = (number: number) => Promise<void>;

/** Publishes the messages 1 to `count`. `room` waits until fewer than 1,000 messages are unconfirmed. */
type Strategy = (publish: Publish, count: number, room: () => Promise<void>) => Promise<void>;

/** Waits for each confirm before it publishes the next message. Each message pays for a round trip to the broker's disk. */
const individually: Strategy = async (publish, count) => {
  for (let number = 1; number <= count; number++) await publish(number);
};

/** Waits once for a hundred confirms. A hundred messages share a round trip. */
const inBatches: Strategy = async (publish, count) => {
  for (let first = 1; first <= count; first += 100) {
    const size = Math.min(100, count - first + 1);
    await Promise.all(Array.from({ length: size }, (_, index) => publish(first + index)));
  }
};

/** Publishes while confirms arrive, many at a time. It waits only when too many messages are unconfirmed. */
const asynchronously: Strategy = async (publish, count, room) => {
  const confirms: Promise<void>[] = [];
  for (let number = 1; number <= count; number++) {
    await room();
    confirms.push(publish(number));
  }
  await Promise.all(confirms);
};

/** The three ways to wait for confirms, by the words that `pub` takes. */
export const strategies = new Map<string, [name: string, strategy: Strategy]>([
  ["individual", ["individually", individually]],
  ["batch", ["in batches of 100", inBatches]],
  ["async", ["asynchronously", asynchronously]],
]);
