import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import amqp, { type Channel, type ConfirmChannel, type Message, type Options } from "amqplib";
import { BrokerError, explain } from "./broker-error.ts";
import { closed, deadlineIn, inTime } from "./closing.ts";
import { type Channels, type ConnectOptions, Link, type Status } from "./connect.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { type Log, silent } from "./log.ts";
import { text } from "./text.ts";

export interface PublisherOptions extends ConnectOptions {
  /** Declares what must exist before the first message. Runs again on each new channel. */
  declare?: (channel: Channel) => Promise<unknown>;
  /** How many messages may be unconfirmed at a time. By default 1,000. What is published beyond that waits. */
  window?: number;
  /**
   * What becomes of a message that the broker refuses (nack) or returns:
   *
   * - `reject` (by default): its `publish` rejects.
   * - `retry`: it is published again, on a new channel and after a pause that grows from 0.25 s to 8 s.
   */
  onRefusal?: "reject" | "retry";
  /**
   * How long a channel may confirm nothing while messages are unconfirmed, in ms. By default 10,000. Then a new channel
   * takes over: on RabbitMQ 4.3, a channel that has seen most members of a quorum queue go may never confirm again.
   */
  silence?: number;
}

/** A message that the broker has not confirmed. */
export interface Unconfirmed {
  exchange: string;
  routingKey: string;
  content: Buffer;
  options: Options.Publish & { messageId: string };
}

/** Publishes messages and loses none: what is unconfirmed when a connection is lost is published again. */
export interface Publisher {
  /** Resolves when the first channel is open and `declare` has run. Rejects with a BrokerError when that failed. */
  readonly ready: Promise<void>;
  readonly status: Status;
  /** How many messages are unconfirmed, those included that wait for room. */
  readonly unconfirmed: number;
  /** How many messages were published more than once. Each of them may have arrived more than once. */
  readonly repeated: number;
  /**
   * Publishes a message. It is persistent and has a `messageId`, unless `options` say otherwise. It keeps its
   * `messageId` when it is published again, so that a consumer can tell a duplicate.
   *
   * @param exchange `""` is the default exchange, which routes to the queue that the routing key names.
   * @param options amqplib's. With `mandatory`, a message that no queue takes is returned.
   * @param signal Gives up waiting for the confirm. The message may have been published by then.
   * @returns When the broker has confirmed the message.
   * @throws {BrokerError} When the broker has refused (nack) or returned it, when it is too large or names an exchange
   *   that doesn't exist or may not be used, when the publisher is closed, or when it never could connect.
   * @throws {TypeError} When amqplib can't encode the message.
   */
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options?: Options.Publish,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Waits until fewer messages are unconfirmed than the window has room for. A loop that awaits it before each `publish`
   * keeps the window full, and no more than that in memory.
   */
  room(): Promise<void>;
  /**
   * Waits until everything is confirmed, then closes the connection. Nothing more can be published.
   *
   * @param options `deadline`: how long to wait, in ms (5,000).
   * @returns The messages that were not confirmed in time. Their `publish` has rejected. Some may have arrived.
   */
  close(options?: { deadline?: number }): Promise<Unconfirmed[]>;
}

/**
 * Opens a publisher, on a connection of its own.
 *
 * @param options Where to connect, what to declare, and how many messages may be unconfirmed.
 * @returns The publisher at once, before it is connected. Messages that are published meanwhile wait.
 */
export function openPublisher(options: PublisherOptions = {}): Publisher {
  return new ConfirmedPublisher(options);
}

/** A message on its way. */
interface Outgoing extends Unconfirmed {
  confirmed: () => void;
  failed: (error: unknown) => void;
  /** Listens no longer for the signal of its `publish`. */
  forget: (() => void) | undefined;
  /** How often it was published. */
  attempts: number;
  /** Whether it was published on the present channel. */
  sent: boolean;
  /** Why the broker gave it back. It does so before it confirms that it has dealt with the message. */
  returned: string | undefined;
}

type ProtocolError = Error & { code?: number };

/** ms; the first pause after a refusal, and the longest. */
const [SHORTEST, LONGEST] = [250, 8_000];

class ConfirmedPublisher implements Publisher {
  readonly ready: Promise<void>;
  repeated = 0;
  readonly #options: Omit<Required<PublisherOptions>, keyof ConnectOptions> & { log: Log };
  readonly #link: Link;
  /** What is published, in order. A message leaves it when the broker has answered for it, and not before. */
  readonly #published = new Set<Outgoing>();
  /** What waits for room. */
  readonly #waiting = new Set<Outgoing>();
  /**
   * Messages of which one has ended its channel or its connection. They are published one at a time, until the one that
   * does so again is known.
   */
  readonly #suspects = new Set<Outgoing>();
  readonly #run = randomUUID();
  #number = 0;
  #connection: Channels | undefined;
  #channel: ConfirmChannel | undefined;
  /** How many messages the present channel has not answered for. */
  #inFlight = 0;
  /** Whether the present channel is to be replaced when it has answered for all of its messages. */
  #renewing = false;
  #pause = SHORTEST;
  readonly #silence: NodeJS.Timeout;
  #heardAt = 0;
  #patience: number;
  /** Settles when a message was answered for. It is there while something waits for that. */
  #change: Deferred<void> | undefined;
  #closed: BrokerError | undefined;

  constructor(options: PublisherOptions) {
    const {
      window = 1_000,
      onRefusal = "reject",
      silence = 10_000,
      declare = async () => {},
      log = silent,
    } = options;
    this.#options = { window, onRefusal, silence, declare, log };
    this.#patience = silence;
    this.#silence = setInterval(() => this.#checkSilence(), Math.min(silence / 4, 1_000)).unref();
    this.#link = new Link(options, {
      setup: (connection) => {
        this.#connection = connection;
        return this.#open(connection);
      },
      lost: (error: ProtocolError) => {
        this.#channel = undefined;
        // 501 to 541 (AMQP 0-9-1, section 1.2): a message was the reason.
        if (error.code !== undefined && error.code > 500) this.#suspect(error);
        return undefined;
      },
    });
    this.ready = this.#link.ready;
    void this.#link.ended.then((reason) => this.#end(this.#explained(reason)));
  }

  get status(): Status {
    return this.#link.status;
  }

  get unconfirmed(): number {
    return this.#published.size + this.#waiting.size;
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Options.Publish = {},
    signal?: AbortSignal,
  ): Promise<void> {
    return new Promise((confirmed, failed) => {
      if (this.#closed) return failed(this.#closed);
      if (signal?.aborted) return failed(signal.reason);
      const messageId = options.messageId ?? `${this.#run}/${++this.#number}`;
      const message: Outgoing = {
        exchange,
        routingKey,
        content,
        options: { persistent: true, ...options, messageId },
        attempts: 0,
        sent: false,
        returned: undefined,
        confirmed,
        failed,
        forget: undefined,
      };
      if (signal) {
        const giveUp = () => this.#settle(message, signal.reason);
        signal.addEventListener("abort", giveUp);
        message.forget = () => signal.removeEventListener("abort", giveUp);
      }
      if (this.#waiting.size === 0 && this.#mayPublish()) this.#publish(message);
      else this.#waiting.add(message);
    });
  }

  room(): Promise<void> {
    return this.#isFull() ? this.#untilRoom() : THERE;
  }

  async close({ deadline = 5_000 } = {}): Promise<Unconfirmed[]> {
    const patience = deadlineIn(deadline);
    this.#closed ??= new BrokerError("The publisher is closed.");
    const all = async () => {
      while (this.unconfirmed > 0) await this.#changed();
    };
    await inTime(all(), patience);
    const left = [...this.#published, ...this.#waiting].map(({ exchange, routingKey, content, options }) => ({
      exchange,
      routingKey,
      content,
      options,
    }));
    const channel = this.#channel;
    this.#channel = undefined;
    this.#end(new BrokerError("The publisher was closed before the broker had confirmed the message."));
    // A broker that answers gets a moment for it even when the time is over.
    if (channel) await closed(channel, deadlineIn(Math.max(patience.left(), MOMENT)));
    await this.#link.close({ deadline: Math.max(patience.left(), MOMENT) });
    return left;
  }

  /** Opens a channel, declares, and publishes again what is unconfirmed. */
  async #open(connection: Channels): Promise<void> {
    const channel = await connection.createConfirmChannel();
    let closedBecause: ProtocolError | undefined;
    channel.on("error", (error) => {
      closedBecause = error;
    });
    channel.on("return", ({ fields, properties }) => this.#returned(fields, properties));
    // First of all listeners: amqplib's own answers for what is unconfirmed, as if the broker had refused it.
    channel.prependOnceListener("close", () => {
      if (channel !== this.#channel) return;
      this.#channel = undefined;
      // Without an error the connection is lost. The next one opens a channel.
      if (!closedBecause) return;
      this.#suspect(closedBecause);
      void this.#reopen(channel);
    });
    await this.#options.declare(channel);
    if (closedBecause) throw closedBecause;
    this.#channel = channel;
    this.#inFlight = 0;
    this.#renewing = false;
    this.#heardAt = performance.now();
    for (const message of this.#published) message.sent = false;
    this.#resend();
    this.#pump();
  }

  /** Opens a channel in place of one that is closed or of no use any more. */
  async #reopen(channel: ConfirmChannel, wait = 0): Promise<void> {
    const connection = this.#connection;
    this.#channel = undefined;
    if (wait > 0) await pause(wait, undefined, { ref: false });
    void closed(channel, deadlineIn(1_000));
    // Where the connection was lost meanwhile, the next one has opened a channel.
    if (!connection || connection !== this.#connection || this.#channel) return;
    // Where the broker is stuck with the old channel, it may not even open a new one on the same connection (3.10).
    const opened = await inTime(this.#open(connection), deadlineIn(OPENING)).catch(() => false);
    // A new connection tries again, with growing pauses, and reports what the broker refuses.
    if (!opened && connection === this.#connection) this.#link.restart({ deadline: MOMENT });
  }

  /** Publishes again what the present channel has not had yet. */
  #resend(): void {
    if (this.#suspects.size === 0)
      for (const message of this.#published) if (!message.sent) this.#send(message);
  }

  /** Publishes what there is room for. */
  #pump(): void {
    if (this.#suspects.size > 0 && !this.#renewing) {
      // One at a time.
      const [suspect] = this.#suspects;
      if (suspect && !suspect.sent) this.#send(suspect);
    }
    if (this.#waiting.size === 0) return;
    for (const message of this.#waiting) {
      if (!this.#mayPublish()) return;
      this.#waiting.delete(message);
      this.#publish(message);
    }
  }

  #mayPublish(): boolean {
    if (!this.#channel || this.#renewing || this.#suspects.size > 0) return false;
    return this.#published.size < this.#options.window;
  }

  #publish(message: Outgoing): void {
    this.#published.add(message);
    this.#send(message);
  }

  #isFull(): boolean {
    return this.unconfirmed >= this.#options.window && !this.#closed;
  }

  async #untilRoom(): Promise<void> {
    while (this.#isFull()) await this.#changed();
  }

  #send(message: Outgoing): void {
    const channel = this.#channel;
    if (!channel) return;
    const { exchange, routingKey, content, options } = message;
    try {
      channel.publish(exchange, routingKey, content, options, (refusal) => {
        // The answer of a channel that was replaced counts for nothing: the message was published again.
        if (channel === this.#channel) this.#answered(channel, message, refusal);
      });
    } catch (error) {
      // The channel is closing: the next one publishes the message.
      if (error instanceof amqp.IllegalOperationError) return;
      // amqplib can't encode it. It has written nothing, so the channel is as it was before.
      this.#settle(message, error);
      return;
    }
    message.sent = true;
    if (++message.attempts === 2) this.repeated++;
    if (this.#inFlight++ === 0) this.#heardAt = performance.now();
  }

  #answered(channel: ConfirmChannel, message: Outgoing, refusal: unknown): void {
    this.#inFlight--;
    this.#heardAt = performance.now();
    const { returned } = message;
    if (!refusal && returned === undefined) {
      this.#pause = SHORTEST;
      this.#patience = this.#options.silence;
      this.#settle(message);
    } else {
      // A channel that RabbitMQ 3.10 has opened just after the leader of a quorum queue died may refuse for ever. And a
      // queue that is gone is declared again with the next channel.
      const retry = this.#options.onRefusal === "retry";
      this.#renewing ||= retry || returned === undefined;
      message.returned = undefined;
      message.sent = !retry;
      if (!retry)
        this.#settle(
          message,
          returned === undefined
            ? new BrokerError("RabbitMQ refused a message (nack). Is its queue full?", { retriable: true })
            : new BrokerError(`RabbitMQ returned a message: ${text(returned)}.`, { retriable: true }),
        );
    }
    if (this.#renewing && this.#inFlight === 0) this.#renew(channel);
  }

  #renew(channel: ConfirmChannel): void {
    const { onRefusal, log } = this.#options;
    if (onRefusal === "reject") return void this.#reopen(channel);
    log.warn(
      `RabbitMQ refused or returned messages. Publishing ${this.#published.size} again in ${this.#pause} ms ...`,
    );
    void this.#reopen(channel, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST);
  }

  #returned({ replyText, exchange, routingKey }: ReturnFields, { messageId }: Message["properties"]): void {
    for (const message of this.#published) {
      if (message.options.messageId !== messageId || message.returned !== undefined || !message.sent)
        continue;
      const to = exchange === "" ? `queue ${routingKey}` : `exchange ${exchange}, routing key ${routingKey}`;
      message.returned = `${replyText} (${to})`;
      return;
    }
  }

  /** One of the messages on their way has ended the channel or the connection. Where it was alone, it is known. */
  #suspect(error: ProtocolError): void {
    const sent = [...this.#published].filter((message) => message.sent);
    if (sent.length > 1) for (const message of sent) this.#suspects.add(message);
    else for (const message of sent) this.#settle(message, this.#explained(error));
  }

  #settle(message: Outgoing, error?: unknown): void {
    this.#published.delete(message);
    this.#waiting.delete(message);
    message.forget?.();
    if (error === undefined) message.confirmed();
    else message.failed(error);
    if (this.#suspects.delete(message)) this.#resend();
    this.#change?.resolve();
    this.#change = undefined;
    this.#pump();
  }

  #changed(): Promise<void> {
    this.#change ??= deferred();
    return this.#change.promise;
  }

  #checkSilence(): void {
    const channel = this.#channel;
    const silent = performance.now() - this.#heardAt;
    // While the broker accepts nothing, it confirms nothing.
    if (!channel || this.#inFlight === 0 || this.#link.status !== "open") this.#heardAt = performance.now();
    // RabbitMQ 3.10 may never answer for some messages whose queue was deleted. This channel has to go anyway.
    else if (this.#renewing && silent > RENEWAL) this.#renew(channel);
    else if (silent > this.#patience) {
      this.#options.log.warn(`Nothing confirmed for ${this.#patience / 1000} s. Trying a new channel ...`);
      this.#patience = Math.min(2 * this.#patience, 4 * this.#options.silence);
      void this.#reopen(channel);
    }
  }

  /** Rejects whatever is left. */
  #end(reason: BrokerError): void {
    clearInterval(this.#silence);
    this.#closed = reason;
    this.#channel = undefined;
    for (const message of [...this.#published, ...this.#waiting]) this.#settle(message, reason);
  }

  #explained(error: Error): BrokerError {
    return explain(error, this.#link.shown) ?? new BrokerError(text(error.message), { cause: error });
  }
}

/** What `room` returns while there is room: one promise for all callers. */
const THERE = Promise.resolve();
/** ms; how long a broker has to answer when the time to close is over. */
const MOMENT = 250;
/** ms; how long a new channel may take to open in place of another one. */
const OPENING = 5_000;
/** ms without a confirm, until a channel that has to be replaced is not waited for any longer. */
const RENEWAL = 1_000;

/** What AMQP 0-9-1 says of a returned message (basic.return). */
interface ReturnFields {
  replyText?: string;
  exchange: string;
  routingKey: string;
}
