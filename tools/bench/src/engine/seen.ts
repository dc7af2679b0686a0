/** What a consumer had, in its report. */
export interface Tally {
  /** A bitmap of the messages' numbers in hexadecimal digits. A byte's lowest bit is its lowest number. */
  seen: string;
  /** How many deliveries were of a message that it had had before. */
  repeated: number;
}

/** Which of a run's messages one consumer has had: their bodies begin with their number, from 0. */
export class Seen {
  #count = 0;
  #deliveries = 0;
  readonly #bits: Buffer;
  readonly #total: number;

  /** @param total How many messages the run has. */
  constructor(total: number) {
    this.#total = total;
    this.#bits = Buffer.alloc(Math.ceil(total / 8));
  }

  /**
   * Notes a message.
   *
   * @param body Its body.
   * @throws {RangeError} When its number is none of the run's.
   */
  add(body: Buffer): void {
    const number = body.readUInt32BE(0);
    if (number >= this.#total) throw new RangeError(`message ${number} of ${this.#total}`);
    const [byte, bit] = [number >> 3, 1 << (number & 7)];
    const before = this.#bits[byte] as number;
    this.#deliveries++;
    if ((before & bit) === 0) this.#count++;
    this.#bits[byte] = before | bit;
  }

  /** How many it has had, each counted once. */
  get count(): number {
    return this.#count;
  }

  /** What a consumer reports at its end. */
  report(): Tally {
    return { seen: this.#bits.toString("hex"), repeated: this.#deliveries - this.#count };
  }
}

/**
 * Adds up what a run's consumers had.
 *
 * @param tallies One for each consumer.
 * @param total How many messages were published.
 * @returns How many no consumer had, and how many deliveries were of a message that one had had before.
 */
export function addUp(tallies: Tally[], total: number): { missing: number; duplicates: number } {
  const had = new Uint8Array(total);
  let duplicates = 0;
  for (const { seen, repeated } of tallies) {
    duplicates += repeated;
    const bits = Buffer.from(seen, "hex");
    for (let n = 0; n < total; n++) {
      if (((bits[n >> 3] ?? 0) & (1 << (n & 7))) === 0) continue;
      if (had[n] === 1) duplicates++;
      had[n] = 1;
    }
  }
  return { missing: had.filter((one) => one === 0).length, duplicates };
}

/**
 * Makes the body of a message.
 *
 * @param number From 0.
 * @param size In bytes, 4 at least.
 */
export function numbered(number: number, size: number): Buffer {
  const body = Buffer.allocUnsafe(size).fill("x");
  body.writeUInt32BE(number);
  return body;
}
