import type { ConsumeMessage } from "amqplib";

/** Handles one delivery. It acknowledges last: whatever goes wrong before leaves the message to the broker. */
export type Handler = (delivery: ConsumeMessage) => Promise<unknown> | unknown;

export interface HandleOptions {
  /**
   * What becomes of a message whose handler has failed:
   *
   * - `requeue` (by default): after a pause it goes back to its queue. A quorum queue counts that towards its
   *   `x-delivery-limit`, on RabbitMQ 3.10 to 4.3. A queue without a limit delivers it again for ever.
   * - `dead-letter`: it goes to the queue's dead letter exchange at once. Without one, it is dropped. So does a message
   *   that has ended the last connection while it was being handled.
   */
  onFailure?: "requeue" | "dead-letter";
  /** How long a message waits before it goes back, in ms. By default 1,000. At once, it would come back in a loop. */
  pause?: number;
  /**
   * Who acknowledges the messages:
   *
   * - `handler` (by default): the handler does.
   * - `grouped`: each message is acknowledged when its handler has finished, and one acknowledgement stands for all that
   *   finish in the same turn of the event loop. That is faster, and after a crash more messages are delivered again. A
   *   slow handler delays the acknowledgements of the messages behind it. Such a channel takes one consumer.
   */
  acknowledge?: "handler" | "grouped";
}

/** What amqplib's `channel.consume` calls with each delivery, and with `null` when the broker cancels the consumer. */
export type OnDelivery = (delivery: ConsumeMessage | null) => void;

/**
 * Wraps a handler for `channel.consume`, on the channel that `openConsumer` passes to its setup.
 *
 * The handler may be asynchronous. It is not called before the setup has finished, nor after `stop()`, and never with
 * `null`: when the broker cancels the consumer, the setup runs again. When it throws or rejects, its message is rejected
 * as `onFailure` says; with `noAck` there is nothing to reject. When its channel has closed meanwhile, the broker has put
 * the message back already, and whatever the handler throws is of no interest any more.
 *
 * @param handler Handles one delivery, and acknowledges it.
 * @param options What becomes of a message whose handler has failed, and who acknowledges the others.
 * @returns A callback for `channel.consume`. On any other channel it throws a TypeError.
 */
export function handle(handler: Handler, options: HandleOptions = {}): OnDelivery {
  const onDelivery = () => {
    throw new TypeError("handle() works on the channel that openConsumer passes to its setup.");
  };
  wrapped.set(onDelivery, {
    handler,
    onFailure: "requeue",
    pause: 1_000,
    acknowledge: "handler",
    ...options,
  });
  return onDelivery;
}

/** A handler with its options. */
export type Wrapped = Required<HandleOptions> & { handler: Handler };

const wrapped = new WeakMap<OnDelivery, Wrapped>();

/** What `handle` has wrapped, or `undefined` for any other callback. */
export const unwrap = (onDelivery: OnDelivery): Wrapped | undefined => wrapped.get(onDelivery);
