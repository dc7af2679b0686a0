/** A frame of AMQP 0-9-1, the eight bytes that a connection begins with, or bytes of something else. */
export interface Frame {
  kind: "method" | "content-header" | "body" | "heartbeat" | "protocol-header" | "opaque";
  /** 0 for what belongs to the whole connection. */
  channel: number;
  /** All its bytes, as they came. */
  bytes: Buffer;
}

/** AMQP 0-9-1, section 4.2.3: the frame types. */
const kinds = new Map<number | undefined, Frame["kind"]>([
  [1, "method"],
  [2, "content-header"],
  [3, "body"],
  [8, "heartbeat"],
]);

/** Type (1 byte), channel (2) and size (4). */
const HEADER = 7;
const FRAME_END = 0xce;
/** Bytes. RabbitMQ's frames have 128 KiB at most, unless it is configured otherwise. What claims more is no frame. */
const LONGEST = 32 * 1024 * 1024;

const greeting = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");

/**
 * Cuts the bytes of one direction of a connection into frames, however they are split into chunks.
 *
 * Bytes that are no frames of AMQP 0-9-1, and all that follow them, are `opaque`.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes there must be before the next frame can be complete. */
  #needed = 1;
  #isOpaque = false;
  #mustGreet: boolean;

  /**
   * @param mustGreet Whether the first frame has to be the eight bytes that a client begins with.
   */
  constructor(mustGreet: boolean) {
    this.#mustGreet = mustGreet;
  }

  /**
   * @param chunk The next bytes.
   * @returns The frames that are complete with them, in their order.
   */
  *read(chunk: Buffer): Generator<Frame, void> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#needed) {
      // One copy for each frame that is split, not one for each chunk of it.
      const [first = chunk, ...more] = this.#chunks;
      const bytes = more.length === 0 ? first : Buffer.concat(this.#chunks);
      this.#chunks = [bytes];
      const isFrame = !this.#isOpaque && !(this.#mustGreet && bytes[0] !== greeting[0]);
      const length = this.#isOpaque ? bytes.length : isFrame ? lengthOf(bytes) : undefined;
      if (length === undefined) this.#isOpaque = true;
      else if (length > bytes.length) this.#needed = length;
      else yield this.#take(length);
    }
  }

  /** From now on everything is opaque: the peers have not agreed on AMQP 0-9-1. */
  giveUp(): void {
    this.#isOpaque = true;
    this.#needed = 1;
  }

  /**
   * @returns What has come of a frame that will not be complete, since no more comes. It may be empty.
   */
  rest(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #take(length: number): Frame {
    const [all] = this.#chunks as [Buffer];
    const [bytes, rest] = [all.subarray(0, length), all.subarray(length)];
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    this.#needed = 1;
    this.#mustGreet = false;
    if (this.#isOpaque) return { kind: "opaque", channel: 0, bytes };
    if (bytes[0] === greeting[0]) return { kind: "protocol-header", channel: 0, bytes };
    return { kind: kinds.get(bytes[0]) ?? "opaque", channel: bytes.readUInt16BE(1), bytes };
  }
}

/** A frame's payload: what stands between its header and its end. */
export const payloadOf = (frame: Frame): Buffer => frame.bytes.subarray(HEADER, -1);

/** Whether these eight bytes ask for AMQP 0-9-1. */
export const asksForOurs = (frame: Frame): boolean => frame.bytes.equals(greeting);

/**
 * Measures the frame that bytes begin with.
 *
 * @param bytes One byte or more.
 * @returns How long the frame is. As long as they don't tell, how many of them it takes to know more. `undefined` when
 *   they are no frame of AMQP.
 */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes[0] === greeting[0]) {
    const known = Math.min(bytes.length, 4);
    if (!bytes.subarray(0, known).equals(greeting.subarray(0, known))) return undefined;
    return known < 4 ? known + 1 : greeting.length;
  }
  if (!kinds.has(bytes[0])) return undefined;
  if (bytes.length < HEADER) return HEADER;
  const length = HEADER + bytes.readUInt32BE(3) + 1;
  if (length > LONGEST || (bytes.length >= length && bytes[length - 1] !== FRAME_END)) return undefined;
  return length;
}

/**
 * Names a protocol by the first bytes of a client.
 *
 * @param bytes What the client has sent first.
 */
export function nameProtocol(bytes: Buffer): string {
  const start = bytes.toString("latin1", 0, 16);
  // AMQP 1.0 announces itself with a 3 for SASL or a 0, and its version.
  if (start.startsWith("AMQP")) return `AMQP ${[...bytes.subarray(5, 8)].join("-")}`;
  // RFC 8446, section 5.1: a record of the handshake, in any version since TLS 1.0.
  if (start.startsWith("\x16\x03")) return "TLS";
  // MQTT 3.1.1 and 5.0, section 3.1: a CONNECT packet names its protocol, which MQTT 3.1 called MQIsdp.
  if (bytes[0] === 0x10 && /MQTT|MQIsdp/.test(start)) return "MQTT";
  if (/^[A-Z]+ \//.test(start)) return "HTTP";
  return "an unknown protocol";
}
