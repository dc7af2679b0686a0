import type { Socket } from "node:net";
import { type Frame, FrameReader } from "./frames.ts";
import type { Connection } from "./line.ts";
import { type Direction, MessageReader, type Read, type Said } from "./messages.ts";
import type { MethodName } from "./methods.ts";

/** An exact place in what one side of a connection says. */
export interface StopPlace {
  /** Which side. By default the client's. */
  direction?: Direction;
  /** The method from whose first call on a connection frames are counted. */
  method: MethodName;
  /** How many whole frames get through, that method's own included. By default none. Heartbeats don't count. */
  frames?: number;
  /** How many bytes of the frame after them get through. By default none. */
  bytes?: number;
}

/** What happens to one direction of all connections of a wire. */
export interface Control {
  /** Whether everything is held. */
  isHeld: boolean;
  /** ms between two frames; 0 for at once. */
  pause: number;
  /** Whether all that arrives vanishes. */
  isFrozen: boolean;
  /** Which single calls are held. */
  holdWhen: ((said: Said, connection: Connection) => boolean) | undefined;
  /** The places where a connection stops. */
  stops: Set<{ place: StopPlace; reached: (connection: Connection) => void }>;
}

/** What a lane tells its connection. */
export interface LaneEvents {
  /** The first frame has arrived. */
  began(frame: Frame): void;
  /** A call has passed, the last of its frames included. */
  passed(said: Said): void;
  /** A call is at the head of the lane, and is held. */
  held(said: Said): void;
  /** All has passed, and the side that said it has ended. */
  ended(): void;
}

/** How many bytes may wait in one direction of a connection. At more, the wire stops reading there. */
const CAPACITY = 32 * 1024 * 1024;
/** Bytes, about: what a frame that waits takes beside its own bytes. */
const OVERHEAD = 512;

/** One direction of one connection. Frames wait here until they may pass, in their order. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #control: Control;
  readonly #connection: Connection;
  readonly #events: LaneEvents;
  readonly #frames: FrameReader;
  readonly #messages: MessageReader;
  #queue: Read[] = [];
  /** How many at the beginning of the queue have passed. To shift them out one by one would take quadratic time. */
  #gone = 0;
  /** Of what waits, what has not all of its content yet. */
  readonly #incomplete = new Set<Said>();
  /** How many bytes wait. */
  #waiting = 0;
  #hasBegun = false;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;
  /** What is held alone, and what has been let through. */
  #head: Said | undefined;
  #mayPass: Said | undefined;
  /** For each place that counts already: how many frames still get through. */
  readonly #left = new Map<object, number>();
  /** `vanishing`: what arrives is thrown away. `frozen`: the end of it, too. */
  #state: "passing" | "vanishing" | "frozen" = "passing";

  constructor(
    direction: Direction,
    from: Socket,
    to: Socket,
    control: Control,
    connection: Connection,
    keep: number,
    events: LaneEvents,
  ) {
    this.#from = from;
    this.#to = to;
    this.#control = control;
    this.#connection = connection;
    this.#events = events;
    this.#frames = new FrameReader(direction === "to-broker");
    this.#messages = new MessageReader(direction, keep);
    to.on("drain", () => this.#move());
  }

  /** What is held alone. */
  get held(): Said | undefined {
    return this.#head;
  }

  /** Passes everything on unread from now on. */
  giveUp(): void {
    this.#frames.giveUp();
  }

  /** Takes what has arrived. */
  take(chunk: Buffer): void {
    if (this.#state !== "passing") return;
    for (const frame of this.#frames.read(chunk)) {
      if (!this.#hasBegun) {
        this.#hasBegun = true;
        this.#events.began(frame);
      }
      this.#enqueue(this.#messages.read(frame));
    }
    this.#move();
  }

  /** Takes note that no more arrives. */
  end(): void {
    if (this.#state === "frozen") return;
    const bytes = this.#hasEnded ? undefined : this.#frames.rest();
    this.#hasEnded = true;
    if (bytes?.length && this.#state === "passing")
      this.#enqueue(this.#messages.read({ kind: "opaque", channel: 0, bytes }));
    this.#move();
  }

  /** Lets what is held alone through. */
  pass(said: Said): void {
    if (this.#head !== said) return;
    this.#mayPass = said;
    this.#move();
  }

  /** Does what has been decided meanwhile: see `Control`. */
  obey(): void {
    if (this.#control.isFrozen) this.#vanish("frozen");
    if (this.#control.pause === 0) this.#stopTimer();
    // It is asked about again.
    this.#head = undefined;
    this.#move();
  }

  /** Throws away what waits and what comes. */
  close(): void {
    this.#vanish("vanishing");
  }

  #move(): void {
    this.#to.cork();
    while (this.#gone < this.#queue.length && this.#headMayPass()) this.#passOne();
    this.#to.uncork();
    if (this.#gone > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#gone);
      this.#gone = 0;
    }
    if (this.#state === "passing" && (this.#isFull || this.#to.writableNeedDrain)) this.#from.pause();
    else this.#from.resume();
    if (this.#hasEnded && this.#queue.length === 0 && this.#state !== "frozen") this.#events.ended();
  }

  get #isFull(): boolean {
    return this.#waiting > CAPACITY;
  }

  #enqueue(read: Read): void {
    const { frame, begins, completes } = read;
    if (frame.kind === "heartbeat") {
      this.#move();
      // Held up, it would end the connection. It belongs to no channel, so it may overtake what is held. It overtakes
      // nothing that only waits for a slow reader.
      if (!this.#to.writableNeedDrain) {
        this.#write(read);
        return;
      }
    }
    this.#queue.push(read);
    this.#waiting += frame.bytes.length + OVERHEAD;
    if (begins && !completes.includes(begins)) this.#incomplete.add(begins);
    for (const said of completes) this.#incomplete.delete(said);
  }

  #headMayPass(): boolean {
    const { isHeld, holdWhen } = this.#control;
    if (isHeld || this.#timer || this.#to.writableNeedDrain) return false;
    const { begins } = this.#queue[this.#gone] as Read;
    if (!begins || !holdWhen || begins === this.#mayPass) return true;
    if (begins === this.#head) return false;
    // Who decides and who looks at it wants to see its content.
    if (this.#incomplete.has(begins) && !this.#isFull && !this.#hasEnded) return false;
    if (!holdWhen(begins, this.#connection)) return true;
    this.#head = begins;
    this.#events.held(begins);
    return false;
  }

  #passOne(): void {
    const read = this.#queue[this.#gone++] as Read;
    this.#waiting -= read.frame.bytes.length + OVERHEAD;
    this.#head = undefined;
    if (this.#stopsBefore(read)) return;
    this.#write(read);
    const { pause } = this.#control;
    if (pause === 0) return;
    this.#timer = setTimeout(() => {
      this.#stopTimer();
      this.#move();
    }, pause);
  }

  #write({ frame, completes }: Read): void {
    if (!this.#to.writable) return;
    this.#to.write(frame.bytes);
    for (const said of completes) this.#events.passed(said);
  }

  #stopsBefore({ frame, begins }: Read): boolean {
    for (const stop of this.#control.stops) {
      const { method, frames = 0, bytes = 0 } = stop.place;
      const counts = this.#left.has(stop) || begins?.method === method;
      if (!counts) continue;
      const left = this.#left.get(stop) ?? frames;
      this.#left.set(stop, left - 1);
      if (left > 0) continue;
      this.#control.stops.delete(stop);
      this.#to.write(frame.bytes.subarray(0, bytes));
      this.#vanish("vanishing");
      stop.reached(this.#connection);
      return true;
    }
    return false;
  }

  #vanish(state: "vanishing" | "frozen"): void {
    this.#state = state;
    this.#queue = [];
    this.#gone = 0;
    this.#waiting = 0;
    this.#incomplete.clear();
    this.#head = undefined;
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
