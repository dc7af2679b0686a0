import type { ConsumeMessage } from "amqplib";
import { type ConsumerChannel, type Consumption, openConsumer, text } from "shared";
import { declareExchange, declareQueue } from "./declare.ts";

/** What a handler throws when nobody can ever use the message. It is printed, with control characters made visible. */
export class Unusable extends Error {
  override readonly name = "Unusable";
}

/**
 * Consumes one queue, on a connection that mends itself. It declares and subscribes on each new connection, so what
 * it is to declare must be told first: nothing reaches the broker before `startConsuming`.
 */
export class Consumer {
  readonly #declarations: ((channel: ConsumerChannel) => Promise<void>)[] = [];
  #consumption: Promise<Consumption> | undefined;

  /** Has a durable direct exchange declared. */
  declareExchange(exchange: string): void {
    this.#declarations.push((channel) => declareExchange(channel, exchange));
  }

  /** Has a durable queue declared and bound to an exchange with one routing key. */
  declareQueue(queue: string, exchange: string, routingKey: string): void {
    this.#declarations.push((channel) => declareQueue(channel, queue, exchange, routingKey));
  }

  /**
   * Connects, declares, subscribes.
   *
   * @param queue The queue.
   * @param handle Handles the body of a message, which is acknowledged when it is done. When it throws `Unusable`,
   *   the message is rejected: the queue drops it, or dead-letters it if it is told where to. On any other error it
   *   comes back a second later.
   * @param options `prefetch`: how many messages the broker hands over before one must be acknowledged.
   * @returns When it is subscribed.
   * @throws {BrokerError} When there is no broker, or it refuses something.
   */
  async startConsuming(
    queue: string,
    handle: (body: Buffer) => Promise<void> | void,
    { prefetch = 10 } = {},
  ): Promise<void> {
    if (this.#consumption) throw new Error("This consumer has started already. Close it first.");
    this.#consumption = openConsumer(async (channel) => {
      for (const declare of this.#declarations) await declare(channel);
      await channel.prefetch(prefetch);
      await channel.consume(queue, (delivery) => settle(channel, delivery, handle));
    });
    try {
      const { ready } = await this.#consumption;
      await ready;
    } catch (error) {
      this.#consumption = undefined;
      throw error;
    }
  }

  /** Takes no more messages, and waits for those in hand to be handled. */
  async stopConsuming(): Promise<void> {
    const consumption = await this.#consumption;
    await consumption?.stop();
  }

  /** Closes the connection. Messages that are still in hand go back to their queue. */
  async close(): Promise<void> {
    const consumption = await this.#consumption;
    await consumption?.close();
    this.#consumption = undefined;
  }
}

async function settle(
  channel: ConsumerChannel,
  delivery: ConsumeMessage,
  handle: (body: Buffer) => Promise<void> | void,
): Promise<void> {
  try {
    await handle(delivery.content);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    console.error(` [!] ${text(error.message)}`);
    channel.reject(delivery, false);
    return;
  }
  channel.ack(delivery);
}
