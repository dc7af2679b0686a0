/** What a virtual host holds. All names, keys and arguments are as the broker has them: not safe to print. */
export interface Sight {
  /** RabbitMQ's version: "3.10.8". */
  version: string;
  vhost: string;
  /** By name, without the default exchange, and of RabbitMQ's own `amq.*` only those that have bindings. */
  exchanges: Exchange[];
  /** By name. */
  queues: Queue[];
  /** Why AMQP could not be asked, if so; more figures lag then. */
  remark?: string;
}

export interface Exchange {
  name: string;
  type: string;
  durable: boolean;
  autoDelete: boolean;
  internal: boolean;
  arguments: Arguments;
  policy?: string;
  bindings: Binding[];
}

export interface Binding {
  key: string;
  arguments: Arguments;
  to: "queue" | "exchange";
  name: string;
}

export interface Queue {
  name: string;
  /** "classic", "quorum", "stream" */
  type: string;
  /** "running", or what is wrong with it: "down", "crashed". */
  state: string;
  durable: boolean;
  exclusive: boolean;
  autoDelete: boolean;
  arguments: Arguments;
  policy?: string;
  /** What policies set for it, operators' included. */
  policyDefinition: Arguments;
  /** Messages; `null` where RabbitMQ has not counted yet. */
  ready: number | null;
  unacked: number | null;
  consumers: number | null;
  /** Those of the three figures that RabbitMQ counted some seconds ago. The others are exact. */
  mayLag: Figure[];
}

export type Figure = "ready" | "unacked" | "consumers";
export type Arguments = Record<string, unknown>;

/** What can't be seen, and why, in one or two lines without a password. */
export class LookError extends Error {
  override readonly name = "LookError";
}
