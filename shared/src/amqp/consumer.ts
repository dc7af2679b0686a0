import type { Channel } from "amqplib";
import { explain } from "./broker-error.ts";
import { deadlineIn } from "./closing.ts";
import { type Channels, type ConnectOptions, Link, type Status } from "./connect.ts";
import { deferred } from "./deferred.ts";
import { silent } from "./log.ts";
import { Subscription, type Work } from "./subscription.ts";

/**
 * Declares the topology and calls `channel.consume` with handlers from `handle`. It runs on the first connection, and
 * again with a new channel after each reconnection.
 *
 * @param channel Of the consumer alone. When it closes, for whatever reason, there will be a new one.
 * @param connection Opens more channels on the same connection, such as a confirm channel to publish on.
 */
export type ConsumerSetup = (channel: Channel, connection: Channels) => Promise<unknown>;

export interface ConsumerOptions extends ConnectOptions {
  /**
   * How `stop()` ends the flow of deliveries:
   *
   * - `cancel` (by default): the broker gives what follows to other consumers while the handlers in hand finish.
   * - `close`: the consumer keeps its place until its channel closes. A single active consumer needs it: the next one
   *   would otherwise begin while handlers of this one still run.
   */
  stopBy?: "cancel" | "close";
}

/** A consumer at work. */
export interface Consumer {
  /** Resolves when `setup` has run for the first time. Rejects with a BrokerError when that could not be done. */
  readonly ready: Promise<void>;
  /** Rejects with a BrokerError when the broker refuses something that the user has no permission for, however late. */
  readonly refused: Promise<never>;
  readonly status: Status;
  /** How many deliveries are with their handlers. */
  inHand(): number;
  /**
   * Ends the flow of deliveries, then waits for the handlers in hand. Once it is called, no further delivery reaches a
   * handler, except those of `noAck` consumers that the broker has given away already.
   *
   * @param options `deadline`: how long to wait, in ms (5,000). What is still in hand then goes back to the queue.
   */
  stop(options?: { deadline?: number }): Promise<void>;
  /**
   * Sends what is left to send, acknowledgements above all, and closes the connection. What was not acknowledged goes
   * back to the queue.
   *
   * @param options `deadline`: how long to wait for the broker, in ms (2,000).
   */
  close(options?: { deadline?: number }): Promise<void>;
}

/**
 * Consumes for as long as it is wanted. The setup runs again after each reconnection, however long the broker was away,
 * and also when the broker closed the channel or cancelled a consumer (it does when somebody deletes the queue).
 *
 * @param setup Declares the topology and subscribes.
 * @param options Where to connect, and how to stop.
 * @returns The consumer at once, before it is connected. Await its `ready`.
 */
export function openConsumer(setup: ConsumerSetup, options: ConsumerOptions = {}): Consumer {
  const { log = silent } = options;
  const refused = deferred<never>();
  const work: Work = {
    log,
    stopBy: options.stopBy ?? "cancel",
    abandoned: new Map(),
    suspects: new Set(),
    freed: () => {},
  };
  let subscription: Subscription | undefined;
  let setUp: Promise<unknown> | undefined;
  let stopping = false;

  const link = new Link(options, {
    async setup(connection) {
      if (stopping) return;
      const channel = await connection.createChannel();
      subscription = new Subscription(channel, connection, work, (error) => {
        const reason = error && explain(error, link.shown);
        if (error) log.error(reason?.message ?? error.message);
        // What isn't allowed won't be allowed on the next connection either.
        if (error?.code === ACCESS_REFUSED) refused.reject(reason);
        else link.restart();
      });
      setUp = subscription.setUp(setup);
      await setUp;
    },
    lost: (error) => subscription?.lost(error),
  });

  return {
    ready: link.ready,
    refused: refused.promise,
    get status() {
      return link.status;
    },
    inHand: () => subscription?.inHand() ?? 0,
    async stop({ deadline = 5_000 } = {}) {
      const patience = deadlineIn(deadline);
      stopping = true;
      await subscription?.stop(patience, setUp);
    },
    async close({ deadline = 2_000 } = {}) {
      const patience = deadlineIn(deadline);
      stopping = true;
      if (subscription && !(await subscription.close(patience)))
        log.warn("RabbitMQ doesn't answer. It delivers again what it has not seen acknowledged.");
      await link.close({ deadline: patience.left() });
    },
  };
}

/** Reply code 403 of AMQP 0-9-1, section 1.2. */
const ACCESS_REFUSED = 403;
