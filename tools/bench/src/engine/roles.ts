// What a worker can be told to do. Producers and consumers on amqplib and in ../../native take the same options.

/**
 * Publishes when it is told to go. It reports `count`, `first` and `last` (ms since 1970: before the first publish, and
 * after the last confirm, or without confirms when the broker has read all); on amqplib also how long confirms took:
 * `p50`, `p99` and `max`, in ms. Then it waits to be ended: RabbitMQ 3.10 forgets some unconfirmed messages when the
 * channel closes before a quorum queue has them.
 */
export interface Producer {
  queue: string;
  /** Messages. */
  count: number;
  /** Of a body, in bytes: 4 at least, which hold the message's number. */
  size: number;
  persistent: boolean;
  /** How many messages may be unconfirmed. 0: no confirms. */
  window: number;
}

/**
 * Consumes until it is told to stop. It reports `count` deliveries, `first` and `last` (ms since 1970: at the first
 * delivery, and when the last acknowledgement was written), and what `Seen` reports.
 */
export interface Consumer {
  queue: string;
  /** Messages. Of no effect with `ack: "auto"`. */
  prefetch: number;
  /** Each by itself, one for all that a turn of the event loop has brought, or none. */
  ack: "each" | "grouped" | "auto";
  /** How many messages the bodies are numbered for. */
  count: number;
}

export interface Roles {
  producer: Producer;
  consumer: Consumer;
}

/** What the worker on amqplib takes as well. */
export interface AmqplibOptions {
  /** Another copy of amqplib: its main file. */
  module?: string;
  /** By default true, which librabbitmq always sets. */
  noDelay?: boolean;
  /** How many messages go before those that are measured, since V8 compiles what has run for a while. */
  warmUp?: number;
  /** Whether a producer waits when the connection's buffer is full. By default true. */
  drain?: boolean;
  /** Whether a producer waits for all confirms when the window is full, and not for one. */
  batches?: boolean;
}
