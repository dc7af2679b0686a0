import type { Socket } from "node:net";
import { dial } from "./dial.ts";
import { asksForOurs, type Frame, nameProtocol } from "./frames.ts";
import { type Control, Lane } from "./lane.ts";
import type { Direction, Said } from "./messages.ts";

/** A client's connection through a wire. */
export interface Connection {
  /** 1, 2, 3 and so on, for each wire. */
  readonly id: number;
  /** Which of the wire's URLs it leads to. `undefined` while none has been reached. */
  readonly to: string | undefined;
  /**
   * What the broker calls it, `127.0.0.1:40000 -> 127.0.0.1:5672`, unless network address translation (Docker's, for
   * instance) lies between. The firehose and the management API use this name. `undefined` while no broker has been
   * reached.
   */
  readonly name: string | undefined;
  /** `AMQP 0-9-1`, or what else the client speaks: `TLS`, `MQTT`, … `undefined` until it has said something. */
  readonly protocol: string | undefined;
}

/** A call that the wire holds: see `Wire.holdWhen`. */
export interface Held {
  readonly connection: Connection;
  /** With its content, unless that is larger than what the wire keeps. */
  readonly said: Said;
  /** Lets it through. Does nothing when it is no longer held. */
  pass(): void;
}

/** What a line tells its wire. */
export interface LineEvents {
  /** A broker has been reached. */
  opened(): void;
  /** The client speaks something else. */
  foreign(): void;
  /** See `LaneEvents`. */
  passed(said: Said): void;
  held(held: Held): void;
  /** Both of its sockets are closed. */
  closed(): void;
}

/** A connection's two sockets, and the lane for each direction between them. */
export class ConnectionLine implements Connection {
  readonly id: number;
  to: string | undefined;
  name: string | undefined;
  protocol: string | undefined;
  readonly #near: Socket;
  readonly #events: LineEvents;
  #far: Socket | undefined;
  #openSockets = 1;
  #lanes: Record<Direction, Lane> | undefined;

  /**
   * @param id Its number.
   * @param near The client's end.
   * @param events Hears of it.
   */
  constructor(id: number, near: Socket, events: LineEvents) {
    this.id = id;
    this.#near = near;
    this.#events = events;
    near.on("error", () => {}).once("close", () => this.#closed());
  }

  /** The calls that are held alone. */
  get held(): Held[] {
    return Object.values(this.#lanes ?? {}).flatMap((lane) =>
      lane.held ? [this.#holding(lane, lane.held)] : [],
    );
  }

  /**
   * Continues the connection to the first broker that accepts it.
   *
   * @param urls The brokers.
   * @param controls What happens to what is said.
   * @param keep How many bytes of bodies are kept.
   * @throws When none does, for the last one's reason.
   */
  async reach(urls: readonly string[], controls: Record<Direction, Control>, keep: number): Promise<void> {
    const near = this.#near;
    const [to, far] = await dial(urls);
    far.on("error", () => {});
    if (near.destroyed) {
      far.destroy();
      return;
    }
    this.#openSockets++;
    far.once("close", () => this.#closed());
    // Only a server that speaks something else speaks first.
    far.once("data", () => this.protocol ?? this.#isForeign("an unknown protocol"));
    const newLane = (direction: Direction, from: Socket, into: Socket) => {
      const lane: Lane = new Lane(direction, from, into, controls[direction], this, keep, {
        began: (frame) => this.#began(direction, frame),
        passed: this.#events.passed,
        held: (said) => this.#events.held(this.#holding(lane, said)),
        // A side that has gone completely gets no answer any more.
        ended: () => (from.destroyed ? into.destroySoon() : into.end()),
      });
      const end = () => lane.end();
      from
        .on("data", (chunk) => lane.take(chunk))
        .once("end", end)
        .once("close", end);
      return lane;
    };
    this.#far = far;
    this.#lanes = {
      "to-broker": newLane("to-broker", near, far),
      "to-client": newLane("to-client", far, near),
    };
    this.to = to;
    this.name = `${address(far.localAddress, far.localPort)} -> ${address(far.remoteAddress, far.remotePort)}`;
    this.#events.opened();
    this.obey();
  }

  /** Does what has been decided for its lanes meanwhile. */
  obey(): void {
    for (const lane of Object.values(this.#lanes ?? {})) lane.obey();
  }

  /**
   * Breaks it.
   *
   * @param how With a FIN or with a RST.
   */
  cut(how: "fin" | "rst"): void {
    for (const lane of Object.values(this.#lanes ?? {})) lane.close();
    for (const socket of [this.#near, this.#far])
      if (how === "rst") socket?.resetAndDestroy();
      else socket?.destroy();
  }

  #began(direction: Direction, frame: Frame): void {
    if (this.protocol !== undefined || direction !== "to-broker") return;
    if (asksForOurs(frame)) this.protocol = "AMQP 0-9-1";
    else this.#isForeign(nameProtocol(frame.bytes));
  }

  #isForeign(protocol: string): void {
    this.protocol = protocol;
    for (const lane of Object.values(this.#lanes ?? {})) lane.giveUp();
    this.#events.foreign();
  }

  #holding(lane: Lane, said: Said): Held {
    return { connection: this, said, pass: () => lane.pass(said) };
  }

  #closed(): void {
    if (--this.#openSockets === 0) this.#events.closed();
  }
}

/** As RabbitMQ writes it. */
const address = (host = "", port = 0) => `${host.includes(":") ? `[${host}]` : host}:${port}`;
