import type { Channel } from "amqplib";
import { handle, log, openConsumer, openPublisher, type Publisher } from "shared";

/** Declares what a producer or a consumer needs. It runs again on each new connection. */
export type Declare = (channel: Channel) => Promise<unknown>;

/** Publishes to one exchange. What is unconfirmed when the connection is lost is published again. */
export class Producer {
  readonly #exchange: string;
  readonly #publisher: Publisher;

  /** Begins to connect. */
  constructor(exchange: string, declare: Declare) {
    this.#exchange = exchange;
    this.#publisher = openPublisher({ declare, log });
  }

  /**
   * Publishes a persistent message. While the broker is away, the message waits in memory.
   *
   * @param message The text of the body.
   * @param routingKey What the exchange compares with its bindings.
   * @returns When the broker has confirmed the message.
   * @throws {BrokerError} When there is no broker at first, when it refuses something, or when `close` comes first.
   */
  publish(message: string, routingKey: string): Promise<void> {
    const options = { contentType: "text/plain" };
    return this.#publisher.publish(this.#exchange, routingKey, Buffer.from(message), options);
  }

  /** Waits for the confirms that are on their way, 5 s at most, and closes the connection. */
  async close(): Promise<void> {
    await this.#publisher.close();
  }
}

/** Consumes one queue. It declares and subscribes on each new connection. */
export class Consumer {
  /** Resolves when it has subscribed. Rejects with a BrokerError when there is no broker, or when it refuses something. */
  readonly ready: Promise<void>;
  /** Rejects with a BrokerError when the broker refuses something later. */
  readonly refused: Promise<never>;
  readonly #consumer;

  /**
   * Begins to connect.
   *
   * @param accept Handles the body of a message. When it returns `true`, the message is acknowledged. `false` rejects it
   *   for ever: the queue drops it, or dead-letters it where the queue has a dead letter exchange. When it throws, the
   *   message comes back a second later. From RabbitMQ 4.0 on, a quorum queue gives it up after 20 such returns, unless it
   *   has another `x-delivery-limit`: it drops it, or dead-letters it.
   */
  constructor(queue: string, declare: Declare, accept: (body: Buffer) => Promise<boolean> | boolean) {
    this.#consumer = openConsumer(
      async (channel) => {
        await declare(channel);
        await channel.prefetch(10);
        const settle = handle(async (delivery) => {
          if (await accept(delivery.content)) channel.ack(delivery);
          else channel.reject(delivery, false);
        });
        await channel.consume(queue, settle);
      },
      { log },
    );
    this.ready = this.#consumer.ready;
    this.refused = this.#consumer.refused;
  }

  /** Takes no more messages, waits for those in hand to be handled, 5 s at most, and closes the connection. */
  async close(): Promise<void> {
    await this.#consumer.stop();
    await this.#consumer.close();
  }
}
