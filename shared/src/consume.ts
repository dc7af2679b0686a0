import { setTimeout as pause } from "node:timers/promises";
import type { Channel, ChannelModel, ConsumeMessage, Options, Replies } from "amqplib";
import { explain, giveUp } from "./broker-error.ts";
import { type ConnectOptions, closed, open } from "./connect.ts";
import { text } from "./text.ts";

/**
 * amqplib's channel, whose `consume` takes asynchronous handlers, never calls them with `null`, and not before
 * the setup is done.
 */
export interface ConsumerChannel extends Channel {
  consume(queue: string, handler: Handler, options?: Options.Consume): Promise<Replies.Consume>;
}

/**
 * Declares the topology and calls `channel.consume`. It runs again after each reconnection, with a new channel and a
 * new connection. A program that publishes while it consumes opens its confirm channel on that `connection`.
 */
export type Setup = (channel: ConsumerChannel, connection: ChannelModel) => Promise<void>;

/** Handles one delivery. It acknowledges last: whatever goes wrong before leaves the message to the broker. */
export type Handler = (delivery: ConsumeMessage) => Promise<void> | void;

/**
 * What a consuming script does: connects, declares, subscribes, and goes on until Ctrl-C.
 *
 * - `setup` runs again after each reconnection, however long the broker was away, and also when the broker closed
 *   the channel or cancelled a consumer (it does when somebody deletes the queue).
 * - SIGINT (Ctrl-C) and SIGTERM cancel the consumers, wait for the handlers in hand, and close. A second signal
 *   doesn't wait: exit code 130 or 143, and what was in hand goes to somebody else.
 * - A handler that throws or rejects has its error printed. A second later its message goes back to the queue,
 *   unless it was consumed with `noAck`. The process lives on.
 * - A refusal (of the login, of a declaration, for want of a permission) is said in a line on stderr, and the
 *   process exits with code 1.
 *
 * @param setup Declares the topology and calls `channel.consume`. Each run gets a new channel.
 * @param options Where to, if not where AMQP_URL says, and under which name.
 * @returns When a signal has ended it and everything is closed, so that the process can end with exit code 0.
 * @throws What `setup` threw the first time, unless it came from the broker.
 */
export async function consume(setup: Setup, options?: Omit<ConnectOptions, "setup">): Promise<void> {
  const signalled = firstSignal();
  try {
    const consumer = await openConsumer(setup, options);
    await Promise.race([signalled, Promise.all([consumer.ready, consumer.refused])]);
    if (consumer.inHand() > 0) console.error(" [!] Finishing what is in hand. To drop it press CTRL+C again");
    await consumer.stop();
    await consumer.close();
  } catch (error) {
    giveUp(error);
  }
}

/** A consumer at work. */
export interface Consumption {
  /** Resolves when `setup` has run for the first time. Rejects as `connect` does. */
  ready: Promise<void>;
  /** Rejects with a BrokerError when the broker refuses something for want of a permission, however late. */
  refused: Promise<never>;
  /** How many deliveries are with their handlers. */
  inHand(): number;
  /** Cancels the subscriptions, then waits for the handlers in hand. */
  stop(): Promise<void>;
  /** Sends what is left to send, acknowledgements above all, and closes the connection. Unhandled messages go back. */
  close(): Promise<void>;
}

/**
 * What `consume` is made of, for those who decide for themselves when to stop: no signals, no exit code.
 *
 * @param setup As for `consume`.
 * @param options As for `consume`.
 * @returns The consumer at once, before it is connected.
 * @throws {BrokerError} When AMQP_URL is not a URL of a broker.
 */
export async function openConsumer(
  setup: Setup,
  options: Omit<ConnectOptions, "setup"> = {},
): Promise<Consumption> {
  const handlers = new Set<Promise<void>>();
  let subscription: Subscription | undefined;
  let stopped = false;
  let refuse: (error: unknown) => void = () => {};
  const refused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  // It may happen before anybody listens.
  refused.catch(() => {});
  const {
    ready,
    shown,
    close: closeConnection,
  } = await open({
    ...options,
    async setup(model) {
      if (stopped) return;
      subscription = await subscribe(model, setup, handlers, (error) =>
        refuse(explain(error, shown) ?? error),
      );
    },
  });
  return {
    ready,
    refused,
    inHand: () => handlers.size,
    async stop() {
      stopped = true;
      await subscription?.cancel();
      while (handlers.size > 0) await Promise.all(handlers);
    },
    async close() {
      await subscription?.close();
      await closeConnection();
    },
  };
}

interface Subscription {
  /** Ends the flow of deliveries. Those that are on their way still reach their handlers. */
  cancel(): Promise<void>;
  /** Sends what is left to send, acknowledgements above all. */
  close(): Promise<void>;
}

async function subscribe(
  model: ChannelModel,
  setup: Setup,
  handlers: Set<Promise<void>>,
  refuse: (error: unknown) => void,
): Promise<Subscription> {
  const channel = await model.createChannel();
  const consumerTags: string[] = [];
  let early: (() => void)[] | undefined = [];
  let open = true;
  // A new connection, then setup again: one way back from whatever has ended this channel.
  const startAgain = () => void model.close().catch(isClosedAlready);
  channel.once("close", () => {
    if (open) startAgain();
    open = false;
  });

  const failed = async (delivery: ConsumeMessage, noAck: boolean, error: unknown) => {
    // The broker saw the connection go, and delivers the message again by itself.
    if (!open) return;
    console.error(` [!] A handler failed: ${describe(error)}`);
    if (noAck) return;
    // At once, the same message would come back thousands of times a second.
    await pause(1000);
    if (open) channel.nack(delivery);
  };

  const amqplibConsume = channel.consume.bind(channel);
  const consume = async (queue: string, handler: Handler, options: Options.Consume = {}) => {
    const noAck = options.noAck ?? false;
    const deliver = (delivery: ConsumeMessage | null) => {
      if (delivery === null) {
        console.error(` [!] The broker cancelled the consumer of ${queue}. Subscribing again ...`);
        startAgain();
        return;
      }
      // amqplib 2.3.1 closes the channel when a handler throws, and leaves a rejected promise to nobody.
      const handling = attempt(handler, delivery)?.catch((error) => failed(delivery, noAck, error));
      if (!handling) return;
      handlers.add(handling);
      void handling.then(() => handlers.delete(handling));
    };
    // The first deliveries may come in the same packet as the broker's consent.
    const onDelivery = (delivery: ConsumeMessage | null) =>
      early ? void early.push(() => deliver(delivery)) : deliver(delivery);
    const consumer = await amqplibConsume(queue, onDelivery, options);
    consumerTags.push(consumer.consumerTag);
    return consumer;
  };
  await setup(Object.assign(channel, { consume }) as ConsumerChannel, model);
  if (!open) throw new Error("Channel closed");
  // Whoever waits for `ready` comes first: a line that says so is printed before the first delivery.
  setImmediate(() => {
    for (const deliver of early ?? []) deliver();
    early = undefined;
  });

  channel.once("error", (error: Error & { code?: number }) => {
    // What isn't allowed won't be allowed on the next connection either.
    if (error.code === ACCESS_REFUSED) refuse(error);
    else console.error(` [!] ${text(error.message)}.`);
  });
  return {
    async cancel() {
      await Promise.all(consumerTags.map((tag) => channel.cancel(tag))).catch(isClosedAlready);
    },
    async close() {
      open = false;
      await closed(channel);
    },
  };
}

/** Reply code 403 of AMQP 0-9-1, section 1.2. */
const ACCESS_REFUSED = 403;

function attempt(handler: Handler, delivery: ConsumeMessage): Promise<void> | undefined {
  try {
    return handler(delivery) ?? undefined;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Closing what is closed is no error here: it is what was wanted. */
const isClosedAlready = () => {};

/** An error as its stack, since it is a fault of the program. Its message may quote a message's body. */
const describe = (error: unknown) =>
  (error instanceof Error ? (error.stack ?? error.message) : String(error)).split("\n").map(text).join("\n");

/**
 * Takes over Ctrl-C.
 *
 * @returns Resolves on the first SIGINT or SIGTERM. A second one ends the process at once, exit code 130 or 143.
 */
export function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let waiting = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (waiting) process.exit(signal === "SIGINT" ? 130 : 143);
      waiting = true;
      resolve();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  });
}
