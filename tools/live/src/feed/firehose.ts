import { setTimeout } from "node:timers/promises";
import amqp, { type ChannelModel, type ConsumeMessage } from "amqplib";
import type { Management } from "broker";
import type { Content } from "./values.ts";

/** A message that has passed the broker, seen from within. */
export interface Trace extends Content {
  /** "publish": it has been routed. "deliver": it has been given to a consumer. */
  kind: "publish" | "deliver";
  /** For "deliver": the queue. */
  queue: string;
  /** For "publish": the queues that it was put into. None: it was dropped or returned. */
  routedQueues: string[];
  redelivered: boolean;
  /** As the broker calls it: "127.0.0.1:40000 -> 127.0.0.1:5672". */
  connection: string;
  channel: number;
}

export interface Firehose {
  /** Its own queue, which is no part of any lesson. */
  readonly queue: string;
  /**
   * Counts the messages of a queue that are ready. A passive declare is exact for quorum queues, too, whose count in
   * the management API is seconds old.
   *
   * @returns `undefined` when there is no such queue.
   */
  count(queue: string): Promise<number | undefined>;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  /** Ends it, and the tracing. */
  end(): Promise<void>;
}

/** ms that a node may take to connect, and then again to begin. One that is still booting may never answer. */
const PATIENCE = 10_000;

/**
 * Has a broker tell of each message in a virtual host. (https://www.rabbitmq.com/docs/firehose)
 *
 * @param management The broker's management API, which turns the tracing on and off.
 * @param vhost The virtual host's name.
 * @param amqpUrl The virtual host's URL, or a cluster's with commas between them: the first node that answers is taken.
 * @param on Hears each trace.
 * @throws When no node can be reached, or tracing can't be turned on, or not within 10 s.
 */
export async function openFirehose(
  management: Management,
  vhost: string,
  amqpUrl: string,
  on: (trace: Trace) => void,
): Promise<Firehose> {
  const path = `/vhosts/${encodeURIComponent(vhost)}`;
  const connection = await connectToOne(amqpUrl.split(","));
  const closed = new Promise<void>((resolve) => connection.once("close", () => resolve()));
  connection.on("error", () => {});
  const begin = async () => {
    const channel = (await connection.createChannel()).on("error", () => {});
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "amq.rabbitmq.trace", "#");
    await channel.consume(queue, (message) => message && on(read(message)), { noAck: true });
    await management("PUT", path, { tracing: true });
    return queue;
  };
  const queue = await inTime(begin()).catch((error: unknown) => {
    // Otherwise the next one would hear each trace as well.
    connection.close().catch(() => {});
    throw error;
  });

  let counting: amqp.Channel | undefined;
  let count: Promise<number | undefined> = Promise.resolve(undefined);
  return {
    queue,
    closed,
    count(name) {
      // One after the other: a queue that is gone closes the channel.
      count = count.then(async () => {
        try {
          counting ??= (await connection.createChannel()).on("error", () => {});
          return (await counting.checkQueue(name)).messageCount;
        } catch {
          counting = undefined;
          return undefined;
        }
      });
      return count;
    },
    async end() {
      await management("PUT", path, { tracing: false }).catch(() => {});
      await connection.close().catch(() => {});
    },
  };
}

async function connectToOne(urls: string[]): Promise<ChannelModel> {
  let reason: unknown;
  for (const url of urls) {
    try {
      const clientProperties = { connection_name: "pnpm live" };
      return await amqp.connect(url, { noDelay: true, timeout: PATIENCE, clientProperties });
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = setTimeout(PATIENCE, undefined, { signal: over.signal }).then(() => {
    throw new Error(`The broker did not begin to trace within ${PATIENCE / 1000} s.`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

function read({ fields, properties, content }: ConsumeMessage): Trace {
  const [, kind, name = ""] = /^(publish|deliver)\.(.*)$/s.exec(fields.routingKey) ?? [];
  const headers = (properties.headers ?? {}) as Partial<TraceHeaders>;
  return {
    kind: kind === "deliver" ? "deliver" : "publish",
    queue: kind === "deliver" ? name : "",
    exchange: headers.exchange_name ?? "",
    key: headers.routing_keys?.[0] ?? "",
    routedQueues: headers.routed_queues ?? [],
    redelivered: headers.redelivered === 1,
    connection: headers.connection ?? "",
    channel: headers.channel ?? 0,
    properties: camelCased(headers.properties ?? {}),
    body: content,
    size: content.length,
  };
}

interface TraceHeaders {
  exchange_name: string;
  routing_keys: string[];
  routed_queues: string[];
  redelivered: number;
  connection: string;
  channel: number;
  /** "message_id", "headers" … */
  properties: Record<string, unknown>;
}

const camelCased = (table: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(table).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
