import { type Connection, type Held, openWire, type Said, type Wire } from "wire";
import type { Passing } from "../feed/passing.ts";

/** Who hears what passes the wires of a terminal. */
export interface WireListener {
  /**
   * A program may be given a URL that leads through another one's wire, and then says who it is.
   *
   * @param terminal Whose wire it is.
   * @param name What the client calls the connection.
   * @returns Whose connection it is. By default the wire's owner's.
   */
  owner?(terminal: string, name: string): string;
  /** A client has logged in. `name` is what the broker may call its connection. */
  connected(terminal: string, connection: string, name: string): void;
  disconnected(connection: string, through: Connection): void;
  passed(connection: string, passing: Passing, terminal: string): void;
  /** It speaks something that can't be read: "TLS", "MQTT". */
  foreign(terminal: string, protocol: string): void;
  held(terminal: string, held: Held): void;
}

/** The calls that are let through one by one when the learner goes message by message. */
const steps = new Set<string>([
  "basic.publish",
  "basic.deliver",
  "basic.get-ok",
  "basic.ack",
  "basic.nack",
  "basic.reject",
]);

/** The wires between a program and its brokers. They are laid before it starts. */
export class TerminalWires {
  readonly #terminalOf: (connection: Connection) => string;
  readonly #listener: WireListener;
  readonly #wires: Wire[] = [];
  #isPaused = false;
  #isStepping = false;
  #isSlowed = false;

  /**
   * @param terminal Whose they are: one program's, or each connection another one's.
   * @param listener Hears what passes.
   */
  constructor(terminal: string | ((connection: Connection) => string), listener: WireListener) {
    this.#terminalOf = typeof terminal === "string" ? () => terminal : terminal;
    this.#listener = listener;
  }

  /**
   * Lays one more.
   *
   * @param url Where it leads: `amqp:`, `amqps:` or `mqtt:`, with a port.
   * @param reserved Ports that it must not begin at.
   * @param others Where it leads when nothing listens there: a wire accepts what a node that is down would refuse.
   * @returns The URL at this end, the same but for host and port.
   */
  async lay(url: string, reserved: readonly number[] = [], others: readonly string[] = []): Promise<string> {
    let wire = await openWire([url, ...others]);
    while (reserved.includes(wire.port)) {
      await wire.close();
      wire = await openWire([url, ...others]);
    }
    const number = this.#wires.push(wire);
    const owners = new WeakMap<Connection, string>();
    const terminalOf = (connection: Connection) => owners.get(connection) ?? this.#terminalOf(connection);
    const idOf = (connection: Connection) => `${this.#terminalOf(connection)} ${number}.${connection.id}`;
    wire.on("foreign", (connection) =>
      this.#listener.foreign(terminalOf(connection), connection.protocol ?? "something else"),
    );
    wire.on("said", (said, connection) => {
      if (said.method === "connection.start-ok") {
        const owner = this.#listener.owner?.(
          terminalOf(connection),
          String(said.fields.clientProperties.connection_name),
        );
        if (owner !== undefined) owners.set(connection, owner);
        this.#listener.connected(terminalOf(connection), idOf(connection), connection.name ?? "");
      }
      if (isMethod(said)) this.#listener.passed(idOf(connection), passingOf(said), terminalOf(connection));
    });
    wire.on("held", (held) => {
      if (this.#isStep(held.said)) this.#listener.held(terminalOf(held.connection), held);
    });
    wire.on("close", (connection) => this.#listener.disconnected(idOf(connection), connection));
    this.#decide(wire);
    const near = new URL(url);
    // A certificate for localhost is not one for 127.0.0.1.
    near.hostname = near.protocol === "amqps:" ? "localhost" : "127.0.0.1";
    near.port = String(wire.port);
    return near.href;
  }

  /** Breaks its connections. */
  cut(): void {
    for (const wire of this.#wires) wire.cut("rst");
  }

  /** Holds back what is delivered to it, or lets it go. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#wires.forEach((wire) => void this.#decide(wire));
  }

  /** Holds each publish, delivery and acknowledgement, or lets them go. */
  step(isStepping: boolean): void {
    this.#isStepping = isStepping;
    this.#wires.forEach((wire) => void this.#decide(wire));
  }

  /** Keeps what it says from the broker for a while, when more is said than can be followed. */
  slow(isSlowed: boolean): void {
    this.#isSlowed = isSlowed;
    for (const wire of this.#wires)
      if (isSlowed) wire.hold("to-broker");
      else {
        wire.release("to-broker");
        this.#decide(wire);
      }
  }

  /** Refuses new connections and breaks those that there are, as when the broker is away. */
  async unplug(): Promise<void> {
    await Promise.all(this.#wires.map((wire) => wire.unplug()));
  }

  async plugIn(): Promise<void> {
    await Promise.all(this.#wires.map((wire) => wire.plugIn()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#wires.map((wire) => wire.close()));
  }

  #decide(wire: Wire): void {
    if (this.#isPaused || this.#isStepping)
      wire.holdWhen((said) => this.#isPausedFor(said) || this.#isStep(said));
    else if (this.#isSlowed) wire.release("to-client");
    else wire.release();
  }

  #isPausedFor({ method }: Said): boolean {
    return this.#isPaused && method === "basic.deliver";
  }

  /** What is held by the pause isn't a step as well: it goes when the pause ends. */
  #isStep(said: Said): boolean {
    const { method, direction } = said;
    // A confirm has the same name as a consumer's acknowledgement.
    const isConfirm = direction === "to-client" && (method === "basic.ack" || method === "basic.nack");
    return this.#isStepping && !this.#isPausedFor(said) && !isConfirm && steps.has(method);
  }
}

const others = new Set<string>(["protocol-header", "heartbeat", "undecodable", "opaque"]);
const isMethod = (said: Said): said is Said & { method: Passing["method"] } => !others.has(said.method);

function passingOf({
  method,
  fields,
  content,
  channel,
  direction,
}: Said & { method: Passing["method"] }): Passing {
  return {
    method,
    fields,
    channel,
    direction: direction === "to-broker" ? "out" : "in",
    ...(content && {
      content: { properties: { ...content.properties }, body: content.body, size: content.size },
    }),
  } as Passing;
}
