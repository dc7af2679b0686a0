import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import { closed, type Deadline, deadlineIn, inTime } from "./closing.ts";
import type { Channels } from "./connect.ts";
import type { ConsumerSetup } from "./consumer.ts";
import { unwrap, type Wrapped } from "./handle.ts";
import type { Log } from "./log.ts";
import { text } from "./text.ts";

/** What a consumer keeps from one channel to the next. */
export interface Work {
  log: Log;
  stopBy: "cancel" | "close";
  /** How many handlers still run although their channel is gone, by queue. */
  abandoned: Map<string, number>;
  /** Signatures of messages that were being handled when a message ended the connection. */
  suspects: Set<string>;
  /** Is called when an abandoned handler has finished. */
  freed: () => void;
}

/** One call of `channel.consume`. */
interface Subscribed {
  queue: string;
  consumerTag: string;
  noAck: boolean;
  /** In messages; 0 is no limit. */
  prefetch: number;
}

interface Delivered {
  subscribed: Subscribed;
  wrapped: Wrapped;
  delivery: ConsumeMessage;
  /** Resolves when its handler has finished. It is there while an asynchronous one runs. */
  finished: Promise<void> | undefined;
  isHandled: boolean;
}

/** One channel of a consumer, from its setup to its end. */
export class Subscription {
  readonly #channel: Channel;
  readonly #connection: Channels;
  readonly #work: Work;
  readonly #subscribed: Subscribed[] = [];
  readonly #inHand = new Set<Delivered>();
  /** Deliveries that wait for the end of the setup, or for an abandoned handler. */
  #waiting: Delivered[] = [];
  /** The last deliveries, as many as may be unacknowledged: one of them may end the connection. */
  readonly #recent: Delivered[] = [];
  /** Deliveries that are acknowledged in groups, in their order. */
  readonly #group = new Set<Delivered>();
  #acknowledging: NodeJS.Immediate | undefined;
  readonly #stopping = new AbortController();
  #isSetUp = false;
  #hasToldOfWaiting = false;
  #open = true;
  #closedBecause: Error | undefined;

  /**
   * @param channel A new one.
   * @param connection The channel's.
   * @param work What is kept from the channel before.
   * @param failed Is called when the broker has closed the channel, or has cancelled a consumer (without an error).
   */
  constructor(
    channel: Channel,
    connection: Channels,
    work: Work,
    failed: (error?: Error & { code?: number }) => void,
  ) {
    this.#channel = channel;
    this.#connection = connection;
    this.#work = work;
    work.freed = () => this.#resume();
    channel.on("error", (error) => {
      this.#closedBecause = error;
    });
    channel.once("close", () => {
      const closing = !this.#open;
      this.#open = false;
      this.#abandon();
      // Without an error, the connection is lost. It comes back by itself, and with it another channel.
      if (!closing && this.#isSetUp && this.#closedBecause) failed(this.#closedBecause);
    });
    channel.on("cancel", ({ consumerTag }) => {
      const queue = this.#subscribed.find((consumer) => consumer.consumerTag === consumerTag)?.queue ?? "";
      work.log.warn(`The broker cancelled the consumer of ${text(queue)}. Subscribing again ...`);
      failed();
    });
    this.#observe(channel);
  }

  /** How many handlers run. */
  inHand(): number {
    return this.#inHand.size;
  }

  /** Runs the consumer's setup. Deliveries that come meanwhile wait. */
  async setUp(setup: ConsumerSetup): Promise<void> {
    await setup(this.#channel, this.#connection);
    if (!this.#open) throw this.#closedBecause ?? new Error("Channel closed");
    this.#isSetUp = true;
    // Code that awaits the consumer's `ready` runs first: a line that it prints comes before the first delivery.
    setImmediate(() => this.#resume());
  }

  /**
   * Remembers what was in hand when the connection was lost.
   *
   * @returns What there is to say about it.
   */
  lost(error: Error & { code?: number }): string | undefined {
    // 501 to 541: AMQP 0-9-1, section 1.2. amqplib 2.3.1 throws the others at headers that it can't read.
    const refused = error.code !== undefined && error.code > 500;
    if (!(refused || error instanceof TypeError || error instanceof RangeError)) return undefined;
    if (refused) for (const delivered of this.#recent) this.#work.suspects.add(signature(delivered));
    const queues = [...new Set(this.#subscribed.map(({ queue }) => text(queue)))].join(", ");
    return `Probably a message from ${queues} ended the connection. A quorum queue with a delivery limit sets it aside.`;
  }

  /** See `Consumer.stop`. `setUp`: settles when the setup has run. */
  async stop(patience: Deadline, setUp: Promise<unknown> | undefined): Promise<void> {
    this.#stopping.abort();
    await inTime(Promise.resolve(setUp).catch(isTold), patience);
    if (!this.#open) return;
    const byCancel = this.#work.stopBy === "cancel";
    const served = byCancel ? await this.#served(patience) : undefined;
    if (byCancel) {
      const cancelled = this.#subscribed.map(({ consumerTag }) => this.#channel.cancel(consumerTag));
      await inTime(Promise.all(cancelled).catch(isTold), patience);
    }
    // The broker has forgotten what it gave to noAck consumers. All else goes back.
    this.#resume();
    while (this.#inHand.size > 0 && patience.left() > 0)
      await inTime(Promise.all([...this.#inHand].map(({ finished }) => finished)), patience);
    this.#acknowledge();
    const { size } = this.#inHand;
    if (size > 0)
      this.#work.log.warn(
        `Gave up ${size} message${size > 1 ? "s" : ""} in hand. The broker delivers them again.`,
      );
    if (!this.#open || !served) return;
    // On RabbitMQ 4.3 this counts towards no delivery limit. Closing the channel does.
    for (const { delivery } of this.#waiting.splice(0)) this.#channel.nack(delivery);
    await this.#settled(served, patience);
  }

  /**
   * Closes the channel. What was acknowledged before arrives.
   *
   * @returns Whether the broker answered in time.
   */
  close(patience: Deadline): Promise<boolean> {
    this.#open = false;
    return closed(this.#channel, patience);
  }

  /** Notes what is consumed, and calls the handlers that `handle` has wrapped. Any other callback is amqplib's. */
  #observe(channel: Channel): void {
    const prefetch = channel.prefetch.bind(channel);
    const consume = channel.consume.bind(channel);
    let limit = 0;
    let isGrouped = false;
    channel.prefetch = (count, global) => {
      limit = count;
      return prefetch(count, global);
    };
    channel.consume = async (queue, onDelivery, options = {}) => {
      const wrapped = unwrap(onDelivery);
      isGrouped ||= wrapped?.acknowledge === "grouped";
      if (isGrouped && this.#subscribed.length > 0)
        throw new TypeError('A channel with acknowledge: "grouped" takes one consumer.');
      const subscribed = { queue, consumerTag: "", noAck: options.noAck ?? false, prefetch: limit };
      const deliver = (delivery: ConsumeMessage | null) => {
        if (delivery && wrapped)
          this.#deliver({ subscribed, wrapped, delivery, finished: undefined, isHandled: false });
      };
      const consumer = await consume(queue, wrapped ? deliver : onDelivery, options);
      this.#subscribed.push(Object.assign(subscribed, consumer));
      return consumer;
    };
  }

  #deliver(delivered: Delivered): void {
    // One that waits already comes first, and has told why.
    if (this.#waiting.length > 0) this.#waiting.push(delivered);
    else if (this.#mayStart(delivered)) this.#start(delivered);
    else this.#wait(delivered);
  }

  #wait(delivered: Delivered): void {
    this.#waiting.push(delivered);
    if (!this.#isSetUp || this.#stopping.signal.aborted || this.#hasToldOfWaiting) return;
    this.#hasToldOfWaiting = true;
    this.#work.log.warn(
      "A handler still runs although its message went back to the queue. The next one waits for it.",
    );
  }

  #mayStart({ subscribed: { queue, noAck, prefetch } }: Delivered): boolean {
    if (!this.#isSetUp) return false;
    if (noAck) return true;
    if (this.#stopping.signal.aborted) return false;
    const abandoned = this.#work.abandoned.get(queue);
    if (!abandoned || prefetch === 0) return true;
    const running = [...this.#inHand].filter(({ subscribed }) => subscribed.queue === queue).length;
    return abandoned + running < prefetch;
  }

  /** Starts what may be started now. */
  #resume(): void {
    if (!this.#open) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const delivered of waiting) {
      if (this.#mayStart(delivered)) this.#start(delivered);
      else this.#wait(delivered);
    }
  }

  #start(delivered: Delivered): void {
    const { wrapped, delivery } = delivered;
    if (wrapped.onFailure === "dead-letter") {
      if (delivery.fields.redelivered && this.#work.suspects.delete(signature(delivered))) {
        const queue = text(delivered.subscribed.queue);
        this.#work.log.error(`Set aside a message from ${queue} that had ended the connection.`);
        this.#channel.reject(delivery, false);
        return;
      }
      this.#recent.push(delivered);
      if (this.#recent.length > Math.max(delivered.subscribed.prefetch, 1)) this.#recent.shift();
    }
    const isGrouped = wrapped.acknowledge === "grouped" && !delivered.subscribed.noAck;
    if (isGrouped) this.#group.add(delivered);
    let handling: unknown;
    try {
      handling = wrapped.handler(delivery);
    } catch (error) {
      handling = Promise.reject(error);
    }
    if (!(handling instanceof Promise)) {
      if (isGrouped) this.#handled(delivered);
      return;
    }
    delivered.finished = handling
      .then(() => isGrouped && this.#handled(delivered))
      .catch((error: unknown) => this.#failed(delivered, error))
      .then(() => this.#finished(delivered));
    this.#inHand.add(delivered);
  }

  #handled(delivered: Delivered): void {
    delivered.isHandled = true;
    this.#acknowledging ??= setImmediate(() => this.#acknowledge());
  }

  /** Acknowledges what has been handled, up to the first message that has not. */
  #acknowledge(): void {
    this.#acknowledging = undefined;
    let last: ConsumeMessage | undefined;
    for (const delivered of this.#group) {
      if (!delivered.isHandled) break;
      this.#group.delete(delivered);
      last = delivered.delivery;
    }
    if (last && this.#open) this.#channel.ack(last, true);
  }

  async #failed(delivered: Delivered, error: unknown): Promise<void> {
    const { subscribed, wrapped, delivery } = delivered;
    // The broker saw the channel go, and delivers the message again.
    if (!this.#open) return;
    this.#work.log.warn(`A handler failed: ${describe(error)}`);
    if (subscribed.noAck) return;
    const requeue = wrapped.onFailure === "requeue";
    if (requeue) await pause(wrapped.pause, undefined, { signal: this.#stopping.signal }).catch(isTold);
    // Not nack: on RabbitMQ 4.3 only a reject counts towards the delivery limit.
    if (this.#open) this.#channel.reject(delivery, requeue);
    this.#group.delete(delivered);
    this.#acknowledge();
  }

  #finished(delivered: Delivered): void {
    if (this.#inHand.delete(delivered)) return;
    const { abandoned, freed } = this.#work;
    const { queue } = delivered.subscribed;
    abandoned.set(queue, (abandoned.get(queue) ?? 0) - 1);
    freed();
  }

  /** The channel is gone, and with it the deliveries of the handlers that still run. */
  #abandon(): void {
    const { abandoned } = this.#work;
    for (const { subscribed } of this.#inHand)
      abandoned.set(subscribed.queue, (abandoned.get(subscribed.queue) ?? 0) + 1);
    this.#inHand.clear();
    this.#waiting = [];
  }

  /** How many consumers the queues have, while this is still one of them. */
  async #served(patience: Deadline): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const acknowledging = this.#subscribed.filter(({ noAck }) => !noAck);
    if (acknowledging.length > 0)
      await this.#probe(patience, async (probe) => {
        for (const { queue } of acknowledging)
          counts.set(queue, (await probe.checkQueue(queue)).consumerCount);
      });
    return counts;
  }

  /**
   * Waits until the queues have settled what was acknowledged, for a second at most.
   *
   * A channel passes the acknowledgements on to a quorum queue a few at a time, and forgets the rest when it closes:
   * hundreds of messages that had been acknowledged were delivered again. The queue counts a cancelled consumer until
   * all of its messages are settled, which tells when they are (seen on RabbitMQ 3.10.8 and 4.3.6).
   */
  async #settled(served: Map<string, number>, patience: Deadline): Promise<void> {
    const soon = deadlineIn(Math.min(1_000, patience.left()));
    if (served.size > 0)
      await this.#probe(soon, async (probe) => {
        for (const [queue, count] of served)
          while (soon.left() > 0 && (await probe.checkQueue(queue)).consumerCount >= count) await pause(10);
      });
  }

  /** Asks on another channel, since a queue that doesn't exist any more closes the one that asks. */
  async #probe(patience: Deadline, ask: (probe: Channel) => Promise<void>): Promise<void> {
    const asked = this.#connection.createChannel().then((probe) => ask(probe).finally(() => probe.close()));
    await inTime(asked.catch(isTold), patience);
  }
}

/** A failure that is reported elsewhere, or is what was wanted: closing what is closed, a queue that is gone. */
const isTold = () => {};

/** An error as its stack, since it is a fault of the program. Its message may quote a message's body. */
const describe = (error: unknown) =>
  (error instanceof Error ? (error.stack ?? error.message) : String(error))
    .split("\n")
    .map((line) => text(line))
    .join("\n");

/** Two messages that share it are the same one, as far as can be told. */
const signature = ({ subscribed, delivery: { fields, properties, content } }: Delivered) =>
  [
    subscribed.queue,
    fields.routingKey,
    properties.messageId,
    createHash("sha1").update(content).digest("base64"),
  ].join(" ");
