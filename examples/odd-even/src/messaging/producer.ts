import type { Channel, ChannelModel, ConfirmChannel, RecoveringChannelModel } from "amqplib";
import { BrokerError, closed, connect } from "shared";

/**
 * Publishes to one exchange and loses nothing: what the broker has not confirmed when the connection is lost is
 * published again on the next one. So a message may arrive twice, never not at all.
 */
export class Producer {
  readonly #exchange: string;
  readonly #declare: (channel: Channel) => Promise<void>;
  readonly #unconfirmed = new Set<Publication>();
  #connection: RecoveringChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #closing: Promise<void> | undefined;

  private constructor(exchange: string, declare: (channel: Channel) => Promise<void>) {
    this.#exchange = exchange;
    this.#declare = declare;
  }

  /**
   * Connects a new producer.
   *
   * @param exchange Where its messages go.
   * @param declare Declares what must be there before the first message. Runs again on every new connection.
   * @throws {BrokerError} When there is no broker, or it refuses the login or a declaration.
   */
  static async connect(exchange: string, declare: (channel: Channel) => Promise<void>): Promise<Producer> {
    const producer = new Producer(exchange, declare);
    producer.#connection = await connect({ setup: (model) => producer.#start(model) });
    return producer;
  }

  /**
   * Publishes a persistent message. While the broker is away, the message waits in memory.
   *
   * @param message The text of the body.
   * @param routingKey What the exchange compares with its bindings.
   * @returns When the broker has confirmed the message.
   * @throws {Error} When the broker refuses it.
   * @throws {BrokerError} When `close` comes before the confirm.
   */
  publish(message: string, routingKey: string): Promise<void> {
    if (this.#closing) return Promise.reject(tooEarly());
    return new Promise((resolve, reject) => {
      const publication = { content: Buffer.from(message), routingKey, resolve, reject };
      this.#unconfirmed.add(publication);
      if (this.#channel) this.#send(this.#channel, publication);
    });
  }

  /** Waits for the confirms that are on their way, and closes the connection. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    await this.#declare(channel);
    channel.once("error", (error: Error) => this.#rejectAll(error));
    // First of all listeners: amqplib's own fails every unconfirmed publication.
    channel.prependOnceListener("close", () => {
      this.#channel = undefined;
      // Where the broker has closed only the channel, a new connection is the way to a new one.
      if (!this.#closing) model.close().catch(() => {});
    });
    this.#channel = channel;
    for (const publication of this.#unconfirmed) this.#send(channel, publication);
  }

  #send(channel: ConfirmChannel, publication: Publication): void {
    const { content, routingKey, resolve, reject } = publication;
    const options = { persistent: true, contentType: "text/plain" };
    channel.publish(this.#exchange, routingKey, content, options, (refusal: Error | null) => {
      // The channel is gone. #start publishes it again.
      if (refusal && channel !== this.#channel) return;
      this.#unconfirmed.delete(publication);
      if (refusal) reject(refusal);
      else resolve();
    });
  }

  async #close(): Promise<void> {
    // Whoever published what is refused hears of it there.
    await this.#channel?.waitForConfirms().catch(() => {});
    if (this.#channel) await closed(this.#channel);
    await this.#connection?.close();
    this.#rejectAll(tooEarly());
  }

  #rejectAll(reason: Error): void {
    for (const { reject } of this.#unconfirmed) reject(reason);
    this.#unconfirmed.clear();
  }
}

interface Publication {
  content: Buffer;
  routingKey: string;
  resolve: () => void;
  reject: (reason: Error) => void;
}

const tooEarly = () => new BrokerError("Closed before RabbitMQ had confirmed every message.");
