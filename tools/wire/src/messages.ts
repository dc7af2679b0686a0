import { type Frame, payloadOf } from "./frames.ts";
import {
  type ContentMethod,
  type FieldsOf,
  type MethodName,
  methodOf,
  methods,
  type Properties,
  readFields,
  readProperties,
  readSize,
} from "./methods.ts";

/** `to-broker`: what the client says. `to-client`: what the broker says. */
export type Direction = "to-broker" | "to-client";

/** What belongs to `basic.publish`, `basic.deliver`, `basic.return` and `basic.get-ok`. */
export interface Content {
  properties: Properties;
  /** The length of the body in bytes. */
  size: number;
  /** The body, or as much of its beginning as the wire keeps: see `WireOptions.keep`. */
  body: Buffer;
}

type Called<Name extends MethodName> = Name extends MethodName
  ? { method: Name; fields: FieldsOf<Name> } & (Name extends ContentMethod
      ? { content: Content }
      : { content?: never })
  : never;

/** Something that is no method. */
interface Other {
  /**
   * - `protocol-header`: a client begins its connection, or the broker names the version that it wants.
   * - `heartbeat`
   * - `undecodable`: a frame of AMQP 0-9-1 that doesn't hold what it should. It passes nevertheless.
   * - `opaque`: bytes of another protocol, or that follow a frame which has no end.
   */
  method: "protocol-header" | "heartbeat" | "undecodable" | "opaque";
  fields: Record<string, never>;
  content?: never;
}

/** One method with its content, as one frame or several, or something that is no method. */
export type Said = (Called<MethodName> | Other) & {
  direction: Direction;
  /** 0 for what belongs to the whole connection. */
  channel: number;
  /** How many bytes it takes on the wire. */
  bytes: number;
  /** Why it is undecodable. */
  problem?: string;
};

/** A frame, and what it says. */
export interface Read {
  frame: Frame;
  /** What it begins. The content of what has some is empty until its last frame has been read. */
  begins?: Said;
  /** What it is the last frame of, and before that what it has cut short. */
  completes: Said[];
}

interface Unfinished {
  said: Said & { content: Content };
  /** How many bytes of the body are yet to come. */
  missing: number;
  /** Room for what is kept of the body, and how much of it is in use. */
  room: Buffer;
  filled: number;
}

/** Reads one direction of a connection: makes methods, and their content, of frames. */
export class MessageReader {
  readonly #direction: Direction;
  /** By channel: what still lacks some of its content. */
  readonly #unfinished = new Map<number, Unfinished>();
  /** How many bytes of bodies may be kept. */
  #space: number;

  /**
   * @param direction Which one.
   * @param keep How many bytes of the bodies that are not complete yet are kept, on all channels together.
   */
  constructor(direction: Direction, keep: number) {
    this.#direction = direction;
    this.#space = keep;
  }

  /**
   * @param frame The next frame.
   * @returns What it says. One that can't be decoded is reported as such.
   */
  read(frame: Frame): Read {
    try {
      return this.#read(frame);
    } catch (error) {
      return this.#whole(frame, "undecodable", (error as Error).message);
    }
  }

  #read(frame: Frame): Read {
    const { kind, channel } = frame;
    if (kind === "protocol-header" || kind === "heartbeat" || kind === "opaque")
      return this.#whole(frame, kind);
    if (kind === "method") {
      const cutShort = this.#finish(channel, "the next method came before all of its content");
      const read = this.#method(frame);
      return { ...read, completes: [...cutShort, ...read.completes] };
    }
    const unfinished = this.#unfinished.get(channel);
    if (!unfinished) throw new Error(`a ${kind} frame that belongs to no method`);
    const { said } = unfinished;
    said.bytes += frame.bytes.length;
    if (kind === "content-header") this.#header(frame, unfinished);
    else this.#body(frame, unfinished);
    return { frame, completes: unfinished.missing > 0 ? [] : this.#finish(channel) };
  }

  #method(frame: Frame): Read {
    const payload = payloadOf(frame);
    const method = methodOf(payload);
    if (!method) throw new Error("a method that AMQP 0-9-1 doesn't have");
    const { channel, bytes } = frame;
    const said = {
      direction: this.#direction,
      channel,
      bytes: bytes.length,
      method,
      fields: readFields(method, payload),
    };
    if (!("content" in methods[method])) return { frame, begins: said as Said, completes: [said as Said] };
    const content: Content = { properties: {}, size: 0, body: Buffer.alloc(0) };
    const unfinished = { ...said, content } as Unfinished["said"];
    this.#unfinished.set(channel, {
      said: unfinished,
      missing: Number.POSITIVE_INFINITY,
      room: content.body,
      filled: 0,
    });
    return { frame, begins: unfinished, completes: [] };
  }

  #header(frame: Frame, unfinished: Unfinished): void {
    const payload = payloadOf(frame);
    const { said } = unfinished;
    said.content.size = unfinished.missing = readSize(payload);
    unfinished.room = Buffer.allocUnsafe(Math.min(said.content.size, this.#space));
    this.#space -= unfinished.room.length;
    try {
      said.content.properties = readProperties(payload);
    } catch (error) {
      said.problem = `properties: ${(error as Error).message}`;
    }
  }

  #body(frame: Frame, unfinished: Unfinished): void {
    const payload = payloadOf(frame);
    unfinished.missing -= payload.length;
    unfinished.filled += payload.copy(unfinished.room, unfinished.filled);
  }

  #whole(frame: Frame, method: Other["method"], problem?: string): Read {
    const said: Said = {
      direction: this.#direction,
      channel: frame.channel,
      bytes: frame.bytes.length,
      method,
      fields: {},
      ...(problem !== undefined && { problem }),
    };
    return { frame, begins: said, completes: [said] };
  }

  #finish(channel: number, problem?: string): Said[] {
    const unfinished = this.#unfinished.get(channel);
    if (!unfinished) return [];
    const { said, room, filled } = unfinished;
    this.#unfinished.delete(channel);
    this.#space += room.length;
    said.content.body = room.subarray(0, filled);
    if (problem !== undefined) said.problem = problem;
    return [said];
  }
}
