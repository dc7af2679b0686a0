import { EventEmitter, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Control, StopPlace } from "./lane.ts";
import { type Connection, ConnectionLine, type Held } from "./line.ts";
import type { Direction, Said } from "./messages.ts";

export interface WireOptions {
  /** The port on 127.0.0.1 that clients connect to. By default a free one. */
  port?: number;
  /**
   * How many bytes are kept of the bodies that are on their way in one direction of a connection, to be reported. What
   * is longer is passed on all the same, and reported with the beginning of its body. By default 16 MiB, which is the
   * longest body that RabbitMQ 4 accepts.
   */
  keep?: number;
}

/** They are emitted in the order in which things happen, across all connections and both directions. */
export interface WireEvents {
  /** A client has connected. No broker has been reached for it yet. */
  connection: [connection: Connection];
  /** A broker has been reached: `to` and `name` are known. */
  open: [connection: Connection];
  /** None of the URLs could be reached, for this reason. The client's connection is closed. */
  unreachable: [connection: Connection, error: Error];
  /** A client speaks something that is not AMQP 0-9-1: `protocol` names it. It is passed on unread. */
  foreign: [connection: Connection];
  /**
   * A method has passed with its content, or a heartbeat, or what else there is. What is `opaque` is said in pieces of
   * any length.
   */
  said: [said: Said, connection: Connection];
  /** A call is held: see `holdWhen`. */
  held: [held: Held];
  /** A connection has gone, on both sides. */
  close: [connection: Connection];
}

/**
 * Opens a wire: a port of its own on 127.0.0.1 from which each connection is continued to a broker. The wire reads what
 * the program and the broker say to each other, and can hold, slow, silence and cut it. It changes no byte.
 *
 * @param to The broker's URL, `amqp:` or `amqps:`, or several. Each connection goes to the first that accepts it.
 * @param options Where the wire begins, and how much of a body it keeps.
 * @returns The wire, when it accepts connections.
 * @throws When its port is in use (with the code `EADDRINUSE`), or a URL is none.
 */
export async function openWire(to: string | readonly string[], options: WireOptions = {}): Promise<Wire> {
  const wire = new Wire([to].flat(), options);
  await wire.plugIn();
  return wire;
}

/** A way from a port of its own on 127.0.0.1 to a broker: see `openWire` for how to get one. */
export class Wire extends EventEmitter<WireEvents> {
  readonly #urls: readonly string[];
  readonly #keep: number;
  readonly #server: Server;
  readonly #lines = new Set<ConnectionLine>();
  readonly #controls: Record<Direction, Control> = { "to-broker": newControl(), "to-client": newControl() };
  #port: number | undefined;
  #ids = 0;

  /**
   * Makes a wire that is not plugged in.
   *
   * @param urls Where it leads.
   * @param options Where it begins, and how much of a body it keeps.
   */
  constructor(urls: readonly string[], { port, keep = 16 * 1024 * 1024 }: WireOptions) {
    super();
    for (const url of urls) new URL(url);
    this.#urls = urls;
    this.#port = port;
    this.#keep = keep;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => void this.#join(near));
  }

  /** The port on 127.0.0.1 where it begins. */
  get port(): number {
    if (this.#port === undefined) throw new Error("A wire has a port when it has been plugged in.");
    return this.#port;
  }

  /** The first broker's URL, with its login, virtual host and query, at this end of the wire. */
  get amqpUrl(): string {
    const url = new URL(this.#urls[0] ?? "amqp://localhost");
    // A certificate for localhost is not one for 127.0.0.1.
    const hostname = url.protocol === "amqps:" ? "localhost" : "127.0.0.1";
    return Object.assign(url, { hostname, port: this.port }).href;
  }

  /** The connections that there are, the oldest first. */
  get connections(): Connection[] {
    return [...this.#lines];
  }

  /** The calls that are held alone: see `holdWhen`. */
  get held(): Held[] {
    return [...this.#lines].flatMap((line) => line.held);
  }

  /**
   * Waits until a client connects.
   *
   * @param signal Gives up.
   * @throws The signal's reason.
   */
  async nextConnection(signal?: AbortSignal): Promise<Connection> {
    try {
      const [connection] = await once(this, "connection", { ...(signal && { signal }) });
      return connection;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * Keeps back what is said, on the connections that there are and on new ones. Heartbeats pass, so that a connection can
   * be held for as long as one likes. What a client or a broker says last, that it ends the connection, waits too.
   *
   * At most 32 MiB wait in one direction of a connection. At more the wire stops reading there, as a slow peer does,
   * and heartbeats stay away with the rest.
   *
   * @param direction In which direction. By default in both.
   */
  hold(direction?: Direction): void {
    for (const control of this.#in(direction)) control.isHeld = true;
  }

  /**
   * Ends `hold`, `holdWhen` and `slow`: passes on what was kept back, and from now on everything at once.
   *
   * @param direction In which direction. By default in both.
   */
  release(direction?: Direction): void {
    for (const control of this.#in(direction))
      Object.assign(control, { isHeld: false, holdWhen: undefined, pause: 0 });
    for (const line of this.#lines) line.obey();
  }

  /**
   * Holds single calls. One that is held is emitted as `held`, is found in `held`, and waits for its `pass`. What is said
   * behind it in the same direction of the same connection waits, too; heartbeats don't. `release` lets everything pass.
   *
   * @param decide Says whether a call is held. It is asked when the call is the next to pass, and may be asked again.
   *   The call has its content then, unless that is larger than what the wire keeps.
   */
  holdWhen(decide: (said: Said, connection: Connection) => boolean): void {
    for (const control of this.#in(undefined)) control.holdWhen = decide;
    for (const line of this.#lines) line.obey();
  }

  /**
   * Lets a frame pass only every so often. Heartbeats are not slowed.
   *
   * @param pause ms between two frames in one direction of a connection.
   * @param direction In which direction. By default in both.
   */
  slow(pause: number, direction?: Direction): void {
    for (const control of this.#in(direction)) control.pause = pause;
  }

  /**
   * Breaks the connections that there are.
   *
   * @param how `fin`: as when the process at the other side has ended. `rst`: as a firewall does, or a host that has
   *   started again.
   */
  cut(how: "fin" | "rst" = "fin"): void {
    for (const line of this.#lines) line.cut(how);
  }

  /**
   * Lets what one side says through up to an exact place, on the first connection that gets there. What comes behind the
   * place vanishes. The connection stays open: `cut` it, or kill one of its ends.
   *
   * To break a connection in the middle of a frame: `await wire.stopAt({ method: "basic.publish", bytes: 10 })`, then
   * `wire.cut()`.
   *
   * @param place Where.
   * @returns The connection, when the frame is due that doesn't get through whole. It never settles if none comes.
   */
  stopAt({ direction = "to-broker", ...place }: StopPlace): Promise<Connection> {
    return new Promise((reached) => {
      this.#controls[direction].stops.add({ place, reached });
    });
  }

  /**
   * Has everything that is said from now on vanish, while all sockets stay open: as when a host has lost its power, or a
   * firewall has forgotten the connection. In one direction only, it makes a connection half-open. That one side ends its
   * connection vanishes, too.
   *
   * New connections are accepted and treated alike. While both directions are frozen, no broker is connected to for them.
   *
   * @param direction In which direction. By default in both.
   */
  freeze(direction?: Direction): void {
    for (const control of this.#in(direction)) control.isFrozen = true;
    for (const line of this.#lines) line.obey();
  }

  /**
   * Ends `freeze` for new connections. Those that were frozen have lost bytes and stay silent until they are cut.
   */
  thaw(): void {
    for (const control of this.#in(undefined)) control.isFrozen = false;
  }

  /** Breaks the connections that there are and refuses new ones, until `plugIn`. */
  async unplug(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, "close") : undefined;
    this.#server.close();
    this.cut();
    await closed;
  }

  /**
   * Accepts connections (again), at the same port.
   *
   * @throws When something else listens there meanwhile.
   */
  async plugIn(): Promise<void> {
    if (this.#server.listening) return;
    if (this.#port !== undefined) return this.#listen(this.#port);
    for (;;) {
      // Not a port that the system gives to outgoing connections: from 32768 on Linux, from 49152 elsewhere. While the
      // wire is unplugged, a client that tries to reconnect could be given this very port, and reach itself.
      const port = 10_000 + Math.floor(Math.random() * 22_000);
      try {
        return await this.#listen(port);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      }
    }
  }

  /** Takes the wire away: `unplug`, for good. */
  close(): Promise<void> {
    return this.unplug();
  }

  async #listen(port: number): Promise<void> {
    await once(this.#server.listen(port, "127.0.0.1"), "listening");
    this.#port = port;
  }

  #in(direction: Direction | undefined): Control[] {
    return direction ? [this.#controls[direction]] : Object.values(this.#controls);
  }

  async #join(near: Socket): Promise<void> {
    const line: ConnectionLine = new ConnectionLine(++this.#ids, near, {
      opened: () => this.emit("open", line),
      foreign: () => this.emit("foreign", line),
      passed: (said) => this.emit("said", said, line),
      held: (held) => this.emit("held", held),
      closed: () => {
        this.#lines.delete(line);
        this.emit("close", line);
      },
    });
    this.#lines.add(line);
    this.emit("connection", line);
    if (this.#in(undefined).every(({ isFrozen }) => isFrozen)) {
      near.resume();
      return;
    }
    try {
      await line.reach(this.#urls, this.#controls, this.#keep);
    } catch (error) {
      if (!near.destroyed) this.emit("unreachable", line, error as Error);
      near.destroy();
    }
  }
}

const newControl = (): Control => ({
  isHeld: false,
  pause: 0,
  isFrozen: false,
  holdWhen: undefined,
  stops: new Set(),
});
