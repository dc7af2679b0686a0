import type { SocketConstructorOpts } from "node:net";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import amqp, { type Channel, type ChannelModel, type ConfirmChannel, type SocketOptions } from "amqplib";
import { BrokerError, explain, hungUp } from "./broker-error.ts";
import { closed, deadlineIn } from "./closing.ts";
import { deferred } from "./deferred.ts";
import { type Log, silent } from "./log.ts";
import { text } from "./text.ts";
import { type Endpoint, readUrls } from "./url.ts";

export interface ConnectOptions {
  /**
   * Where the broker is: see `readUrls`. By default the environment variable AMQP_URL, else `amqp://localhost`. The
   * nodes of a cluster are tried in turn, and a lost connection goes to the next one.
   */
  url?: string | undefined;
  /** What the management page calls this connection. By default the name of the program. */
  name?: string | undefined;
  /** Where to report that the connection is lost, stands again, or is blocked. By default nowhere. */
  log?: Log | undefined;
  /**
   * How long to try to connect for the first time while no broker answers, in ms. By default 2,000. `Infinity` waits
   * for the broker for as long as it takes. A broker that is still starting gets 30 s in any case.
   */
  patience?: number | undefined;
  /** Aborting it closes the connection. */
  signal?: AbortSignal | undefined;
}

/** Declares, subscribes, or opens channels on a new connection. */
export type Setup = (connection: Channels) => Promise<void>;

/** Opens channels on one connection. An error on such a channel closes that channel only. */
export interface Channels {
  createChannel(): Promise<Channel>;
  createConfirmChannel(): Promise<ConfirmChannel>;
}

/** `connecting` also while a lost connection is opened again; `blocked` while the broker accepts no messages. */
export type Status = "connecting" | "open" | "blocked" | "closed";

/** A connection that reconnects. Its channels don't: they close when the connection is lost. */
export interface Connection extends Channels {
  readonly status: Status;
  /**
   * Closes the connection, or gives up connecting.
   *
   * @param options `deadline`: how long to wait for the broker, in ms (5,000). After that the socket is destroyed.
   */
  close(options?: { deadline?: number }): Promise<void>;
}

/**
 * Opens a connection that reconnects by itself.
 *
 * The first connection is tried again, at each node of a cluster at least once, until `patience` is over. Once it was
 * open, a lost connection is opened again for as long as it takes: after 0.2 s, and then at growing intervals up to 4 s,
 * each varied by a fifth so that a thousand clients don't return at the same moment. The interval shrinks again when a
 * connection has stood for 2 s. A peer that accepts the connection and then says nothing gets 10 s.
 *
 * Heartbeats are 20 s unless the URL says otherwise, so a peer that has gone silent is noticed within 60 s
 * (https://www.rabbitmq.com/docs/heartbeats recommends 5 to 20 s).
 *
 * @param options Where to connect, and under which name. `setup` runs on every connection, also the first, before
 *   `createChannel` opens channels on it.
 * @returns The connection. Its `createChannel` waits while the broker is away.
 * @throws {BrokerError} When the first connection fails.
 */
export async function connect(options: ConnectOptions & { setup?: Setup } = {}): Promise<Connection> {
  const link = new Link(options, options);
  await link.ready;
  return link;
}

/** What a publisher or a consumer does with its connection. */
interface Hooks {
  setup?: Setup;
  /** Hears why a connection ended, before it is opened again. Returns what else there is to say about it. */
  lost?: (error: Error) => string | undefined;
  /** Whether to open a lost connection again. */
  reconnect?: boolean;
}

/** ms; how long a peer has for the handshake. */
const HANDSHAKE = 10_000;
/** ms; how long a peer that hangs up at once is taken for a broker that is starting. */
const STARTING = 30_000;
/** ms; the first pause between two connections, and the longest. */
const [SHORTEST, LONGEST] = [200, 4_000];
/** ms; how long a connection must have stood for the pauses to begin anew. */
const STOOD = 2_000;
/** s */
const HEARTBEAT = 20;

/** What `connect` returns, for a publisher or a consumer: it exists before it is connected. */
export class Link implements Connection {
  /** Resolves when the connection stands and `setup` has run for the first time. Rejects with a BrokerError. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the connection has ended for good, unless by `close`. */
  readonly ended: Promise<Error>;
  /** The broker's URL, or its nodes', without password. */
  readonly shown: string = "RabbitMQ";
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #patience: number;
  readonly #name: string;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** The connection that stands. */
  #model: ChannelModel | undefined;
  #standing = deferred<ChannelModel>();
  /** Destroys the socket of the last attempt. */
  #cut = () => {};
  #stoodOnce = false;
  #restarting = false;
  #blocked = false;

  constructor({ url, name, log = silent, patience = 2_000, signal }: ConnectOptions, hooks: Hooks = {}) {
    this.#log = log;
    this.#hooks = hooks;
    this.#patience = patience;
    this.#name = name ?? programName();
    const ready = deferred();
    const ended = deferred<Error>();
    this.ready = ready.promise;
    this.ended = ended.promise;
    const { signal: closing } = this.#closing;
    closing.addEventListener("abort", () => {
      ready.reject(closing.reason);
      this.#standing.reject(closing.reason);
    });
    this.#running = this.#run(url, ready.resolve).catch((error: unknown) => {
      const reason = explain(error, this.shown) ?? (error as Error);
      this.#closing.abort(reason);
      ended.resolve(reason);
    });
    if (signal?.aborted) void this.close();
    signal?.addEventListener("abort", () => void this.close(), { once: true });
  }

  get status(): Status {
    if (this.#closing.signal.aborted) return "closed";
    if (!this.#model) return "connecting";
    return this.#blocked ? "blocked" : "open";
  }

  createChannel(): Promise<Channel> {
    return this.#create((model) => model.createChannel());
  }

  createConfirmChannel(): Promise<ConfirmChannel> {
    return this.#create((model) => model.createConfirmChannel());
  }

  /**
   * Closes the connection and opens a new one, with a new setup: the way back from a channel that was closed.
   *
   * @param options `deadline`: how long to wait for the broker, in ms (10,000). After that the socket is destroyed.
   */
  restart({ deadline = HANDSHAKE } = {}): void {
    const cut = this.#cut;
    if (!this.#model || this.#restarting) return;
    this.#restarting = true;
    void closed(this.#model, deadlineIn(deadline)).then((inTime) => inTime || cut());
  }

  async close({ deadline = 5_000 } = {}): Promise<void> {
    const model = this.#model;
    this.#closing.abort(new BrokerError("The connection is closed."));
    if (model) await closed(model, deadlineIn(deadline));
    // It ends an attempt under way, and a connection to a broker that has not answered.
    this.#cut();
    await this.#running;
  }

  async #create<AnyChannel extends Channel>(open: (model: ChannelModel) => Promise<AnyChannel>) {
    for (;;) {
      const model = await this.#standing.promise;
      try {
        return listened(await open(model));
      } catch (error) {
        // When the connection was lost while the channel was being opened, the next connection opens it.
        if (model === this.#model || this.#closing.signal.aborted) throw error;
      }
    }
  }

  /** Connects again and again. Returns when it is closed, and throws when it gives up. */
  async #run(url: string | undefined, ready: () => void): Promise<void> {
    const source = url === undefined ? "AMQP_URL" : "The broker's URL";
    const { endpoints, shown } = readUrls(url ?? process.env.AMQP_URL ?? "amqp://localhost", source);
    Object.assign(this, { shown });
    const { signal } = this.#closing;
    const began = performance.now();
    let wait = SHORTEST;
    let told: string | undefined;
    let lost = false;

    for (let attempt = 0; !signal.aborted; attempt++) {
      let stoodSince: number | undefined;
      let patience = Number.POSITIVE_INFINITY;
      try {
        await this.#stand(endpoints[attempt % endpoints.length] as Endpoint, () => {
          stoodSince = performance.now();
          if (lost) this.#log.info("Connected again.");
          lost = false;
          this.#stoodOnce = true;
          this.#restarting = false;
          told = undefined;
          ready();
        });
      } catch (error) {
        if (signal.aborted) return;
        const reason = explain(error, shown);
        const message = reason?.message ?? text((error as Error).message);
        if (error instanceof Loss) {
          const more = this.#hooks.lost?.(error.cause);
          if (this.#hooks.reconnect === false) throw error.cause;
          if (!this.#restarting) {
            this.#log.warn(`Connection lost (${text(error.cause.message)}). Reconnecting ...`);
            lost = true;
          }
          if (more) this.#log.error(more);
        } else if (this.#stoodOnce) {
          // While a broker is away, no line tells of each attempt. A refusal is told once.
          if (!reason?.retriable && message !== told) this.#log.error(message);
          told = message;
        } else {
          const starting = hungUp(error);
          patience = Math.max(this.#patience, starting ? STARTING : 0) - (performance.now() - began);
          if (!reason?.retriable || (patience <= 0 && attempt + 1 >= endpoints.length)) throw error;
          // Once, however often it is tried. Where the patience is limited, the error at its end says it.
          if (!told && (starting || this.#patience === Number.POSITIVE_INFINITY)) {
            told = starting
              ? `${shown} hangs up before it speaks AMQP, as a broker does that is still starting. Waiting ...`
              : `${message} Waiting ...`;
            this.#log.warn(told);
          }
        }
      }
      if (stoodSince !== undefined && performance.now() - stoodSince > STOOD) wait = SHORTEST;
      const varied = wait * (0.8 + 0.4 * Math.random());
      await pause(Math.max(0, Math.min(varied, patience)), undefined, { signal }).catch(() => {});
      wait = Math.min(2 * wait, LONGEST);
    }
  }

  /**
   * Opens one connection and lets it stand.
   *
   * @param stands Is called when its setup has run.
   * @throws Why it could not be opened, or why it ended. It always ends.
   */
  async #stand({ node, socket }: Endpoint, stands: () => void): Promise<never> {
    const cutting = new AbortController();
    this.#cut = () => cutting.abort();
    try {
      // amqplib passes the options on to `net.connect` or `tls.connect`.
      const options: SocketOptions & Pick<SocketConstructorOpts, "signal"> = {
        timeout: HANDSHAKE,
        ...socket,
        // Without it, a small write that follows another waits 40 ms for a delayed TCP acknowledgement.
        noDelay: true,
        clientProperties: { connection_name: this.#name },
        // When it aborts, Node destroys the socket. Nothing else ends the connection to a peer that has gone silent.
        signal: cutting.signal,
      };
      const model = await amqp.connect({ heartbeat: HEARTBEAT, ...node }, options);
      return await this.#use(model, stands);
    } finally {
      if (this.#model) this.#standing = deferred();
      if (this.#closing.signal.aborted) this.#standing.reject(this.#closing.signal.reason);
      this.#model = undefined;
      this.#blocked = false;
      // Meanwhile the last bytes leave, such as the answer to the broker's close.
      setTimeout(() => cutting.abort(), 250).unref();
    }
  }

  async #use(model: ChannelModel, stands: () => void): Promise<never> {
    // An error that no one listens for ends the process. `close` comes with the same error.
    model.on("error", () => {});
    let lost: Loss | undefined;
    const { promise: loss, reject } = deferred<never>();
    model.once("close", (error) => {
      lost = new Loss(error ?? new Error("Connection closed"));
      reject(lost);
    });
    model.on("blocked", (reason: string) => {
      this.#blocked = true;
      this.#log.warn(`RabbitMQ accepts no messages for now: ${text(reason)}.`);
    });
    model.on("unblocked", () => {
      this.#blocked = false;
      this.#log.info("RabbitMQ accepts messages again.");
    });
    try {
      await Promise.race([this.#hooks.setup?.(channelsOf(model)), loss]);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      // Where the connection was lost, that is why the setup failed, whatever its error says.
      const reason = lost ?? error;
      await closed(model, deadlineIn(1_000));
      throw reason;
    }
    this.#model = model;
    this.#standing.resolve(model);
    stands();
    return await loss;
  }
}

/** A connection was open and has ended, for this cause. */
class Loss extends Error {
  override readonly cause: Error & { code?: number };

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

const channelsOf = (model: ChannelModel): Channels => ({
  createChannel: async () => listened(await model.createChannel()),
  createConfirmChannel: async () => listened(await model.createConfirmChannel()),
});

/** An error of a channel that no one listens for takes its connection along (amqplib 2.3.1). `close` follows it. */
const listened = <AnyChannel extends Channel>(channel: AnyChannel): AnyChannel =>
  channel.on("error", () => {});

function programName(): string {
  const { npm_package_name: pattern, npm_lifecycle_event: script } = process.env;
  return pattern && script ? `${pattern} ${script}` : basename(process.argv[1] ?? "node");
}
