import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ChannelModel, ConfirmChannel } from "amqplib";
import { closed, text } from "shared";
import { declareInbox, queueOf } from "./topology.ts";

/**
 * Sends messages to one person and loses none: what the broker has not confirmed is sent again, after a lost
 * connection as well as after a refusal. So a message may arrive twice, with the same id.
 */
export class Outbox {
  /** Rejects when the broker forbids a message or a declaration: to try again would not help. */
  readonly refused: Promise<never>;
  readonly #from: string;
  readonly #to: string;
  readonly #unconfirmed = new Map<string, Message>();
  #refuse: (error: Error) => void = () => {};
  #connection: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #nacked = false;
  #closed = false;

  /**
   * @param from The name of who writes. It goes along in the header `from`.
   * @param to The name of whose queue it goes to.
   */
  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
    this.refused = new Promise((_, reject) => {
      this.#refuse = reject;
    });
    // It may happen before anybody listens.
    this.refused.catch(() => {});
  }

  /** The messages that the broker has not confirmed, oldest first. */
  get unconfirmed(): string[] {
    return [...this.#unconfirmed.values()].map(({ body }) => body);
  }

  /**
   * Sends on a channel of this connection from now on, first of all what is unconfirmed.
   *
   * @param connection A new one.
   * @throws {Error} When it is lost, or the broker refuses to declare the queue.
   */
  async open(connection: ChannelModel): Promise<void> {
    this.#connection = connection;
    const channel = await connection.createConfirmChannel();
    channel.once("error", (error: Error & { code?: number }) => {
      if (error.code === ACCESS_REFUSED || error.code === PRECONDITION_FAILED) this.#refuse(error);
      else console.error(` [!] ${text(error.message)}.`);
    });
    // First of all listeners: amqplib's own answers every unconfirmed message with an error.
    channel.prependOnceListener("close", () => this.#replace(channel));
    channel.on("return", ({ properties }) => {
      const message = this.#unconfirmed.get(properties.messageId);
      if (message) message.returned = true;
    });
    await declareInbox(channel, this.#to);
    this.#channel = channel;
    for (const message of this.#unconfirmed.values()) this.#publish(channel, message);
  }

  /**
   * Sends a message. While the broker is away, it waits in memory.
   *
   * @param body Its text.
   * @returns When the broker has confirmed it: it is in the queue, and on disk.
   */
  send(body: string): Promise<void> {
    const id = randomUUID();
    let confirm = () => {};
    const confirmed = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    const message = { id, body, confirm, confirmed, returned: false };
    this.#unconfirmed.set(id, message);
    if (this.#channel) this.#publish(this.#channel, message);
    return confirmed;
  }

  /** Resolves when so few messages are unconfirmed that the next one need not wait for them. */
  room(): Promise<void> {
    return this.#fewerThan(100);
  }

  /** Waits until everything is confirmed, and closes the channel. */
  async close(): Promise<void> {
    await this.#fewerThan(1);
    this.#closed = true;
    if (this.#channel) await closed(this.#channel);
  }

  #publish(channel: ConfirmChannel, message: Message): void {
    message.returned = false;
    channel.sendToQueue(
      queueOf(this.#to),
      Buffer.from(message.body),
      {
        messageId: message.id,
        contentType: "text/plain",
        headers: { from: this.#from },
        persistent: true,
        // Should the queue have been deleted, the message comes back. Otherwise the broker drops it, and confirms that.
        mandatory: true,
      },
      (refusal: Error | null) => this.#answered(channel, message, refusal),
    );
  }

  #answered(channel: ConfirmChannel, message: Message, refusal: Error | null): void {
    if (!refusal && !message.returned) {
      this.#nacked = false;
      this.#unconfirmed.delete(message.id);
      message.confirm();
      return;
    }
    if (channel !== this.#channel) return;
    if (message.returned) console.error(` [!] ${queueOf(this.#to)} is gone. Declaring it again ...`);
    else if (!this.#nacked)
      console.error(` [!] RabbitMQ refuses messages. Is ${queueOf(this.#to)} full? Trying again ...`);
    this.#nacked = refusal !== null;
    void this.#replace(channel);
  }

  /** Goes on with a new channel: it declares the queue again, and may reach another leader of it. */
  async #replace(channel: ConfirmChannel): Promise<void> {
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    while (!this.#channel && !this.#closed) {
      // For answers that are still on their way, and for somebody to read from a full queue.
      await pause(1000, undefined, { ref: false });
      await closed(channel);
      // It fails while there is no connection. Whoever makes the next one opens it.
      if (this.#connection && !this.#channel) await this.open(this.#connection).catch(() => {});
    }
  }

  async #fewerThan(count: number): Promise<void> {
    for (const { confirmed } of this.#unconfirmed.values()) {
      if (this.#unconfirmed.size < count) return;
      await confirmed;
    }
  }
}

interface Message {
  id: string;
  body: string;
  confirm: () => void;
  confirmed: Promise<void>;
  /** The broker had no queue for it. It says so before it confirms that. */
  returned: boolean;
}

// Reply codes of AMQP 0-9-1, section 1.2.
const ACCESS_REFUSED = 403;
const PRECONDITION_FAILED = 406;
