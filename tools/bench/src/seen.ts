/** Which of a run's messages one consumer has had: their bodies begin with their number, from 0. */
export class Seen {
  /** How many it has had, each counted once. */
  count = 0;
  /** How many it has had more than once: deliveries less `count`. */
  repeated = 0;
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
    if ((before & bit) === 0) {
      this.#bits[byte] = before | bit;
      this.count++;
    } else this.repeated++;
  }

  /** What a consumer reports at its end: a bitmap in base64, whose lowest bit is number 0. */
  report(): Tally {
    return { seen: this.#bits.toString("base64"), repeated: this.repeated };
  }
}

/** What a consumer had. */
export interface Tally {
  /** A bitmap in base64, whose lowest bit is number 0. */
  seen: string;
  /** How many messages it had more than once. */
  repeated: number;
}

/**
 * Adds up what a run's consumers had.
 *
 * @param tallies One for each consumer.
 * @param total How many messages were published.
 * @returns How many nobody had, and how many deliveries were of a message that somebody had had before.
 */
export function addUp(tallies: Tally[], total: number): { missing: number; duplicates: number } {
  const union = Buffer.alloc(Math.ceil(total / 8));
  let duplicates = 0;
  for (const { seen, repeated } of tallies) {
    duplicates += repeated;
    for (const [n, byte] of Buffer.from(seen, "base64").entries()) {
      duplicates += ones((union[n] ?? 0) & byte);
      if (n < union.length) union[n] = (union[n] as number) | byte;
    }
  }
  return { missing: total - union.reduce((sum, byte) => sum + ones(byte), 0), duplicates };
}

/** How many bits of a byte are set. */
function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
}

/**
 * Makes the body of a message.
 *
 * @param number From 0.
 * @param size In bytes, 4 at least.
 */
export function numbered(number: number, size: number): Buffer {
  const body = Buffer.alloc(size, "x");
  body.writeUInt32BE(number);
  return body;
}
