// The worker (see ../engine/worker.ts) for Kafka: a producer, or one of a consumer group.

// The client: @platformatic/kafka is released every few weeks, and its 1.x runs on Node 20 without a native part;
// kafkajs had its last release in 2023, and Confluent's downloads or compiles librdkafka when it is installed.
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  Consumer,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
} from "@platformatic/kafka";
import { numbered, Seen } from "../engine/seen.ts";
import { now, openCount, options, role, say, sayProgress, told } from "./events.ts";

export interface KafkaProducer {
  brokers: string[];
  topic: string;
  /** Messages. */
  count: number;
  /** Of a value, in bytes. */
  size: number;
  acks: "all" | "none";
  /** Messages in a request. */
  batch: number;
  /** Requests that may be unanswered. */
  inFlight: number;
}

export interface KafkaConsumer {
  brokers: string[];
  topic: string;
  group: string;
  /** Messages of the whole run. */
  count: number;
  commit: "each" | "grouped" | "auto";
}

async function produce({ brokers, topic, count, size, acks, batch, inFlight }: KafkaProducer) {
  const producer = new Producer({
    clientId: "bench-producer",
    bootstrapBrokers: brokers,
    acks: { all: ProduceAcks.ALL, none: ProduceAcks.NO_RESPONSE }[acks],
    maxInflights: inFlight,
    // A message that was sent twice would be counted twice.
    retries: 0,
  });
  await producer.metadata({ topics: [topic] });
  say("ready");
  await told();

  let published = 0;
  const unanswered = openCount();
  sayProgress(() => published);
  const first = now();
  while (published < count) {
    if (unanswered.size === inFlight) await unanswered.below(inFlight);
    unanswered.add();
    const messages = Array.from({ length: Math.min(batch, count - published) }, () => {
      const number = published++;
      // Evenly to the four partitions
      return { topic, partition: number % 4, value: numbered(number, size) };
    });
    producer.send({ messages }, (error) => {
      if (error) throw error;
      unanswered.remove();
    });
  }
  await unanswered.below(1);
  const last = now();
  await producer.close();
  say("done", { count, first, last });
  process.exit();
}

async function consume({ brokers, topic, group, count, commit }: KafkaConsumer) {
  const seen = new Seen(count);
  let first = 0;
  // When the last message was committed, or had where commits come by themselves
  let last = 0;
  const consumer = new Consumer({
    clientId: "bench-consumer",
    bootstrapBrokers: brokers,
    groupId: group,
    // A Kafka that has just started needs a while until it can coordinate groups.
    retries: 60,
    // ms
    retryDelay: 500,
    // ms. A member learns of the others by its heartbeat: only while the group gathers.
    heartbeatInterval: 250,
    // ms, as Kafka's own client
    maxWaitTime: 500,
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    // ms, as Kafka's own client
    autocommit: commit === "auto" ? 5_000 : false,
  });

  type Message = { topic: string; partition: number; offset: bigint; value: Buffer };
  /** What is committed when a message has been processed. */
  const behind = ({ topic, partition, offset }: Message) => ({
    topic,
    partition,
    offset: offset + 1n,
    leaderEpoch: -1,
  });
  /** Notes a message, except one fetched before the group shared out the partitions: another member has it. */
  const take = (message: Message): boolean => {
    const mine = consumer.assignments?.some(({ partitions }) => partitions.includes(message.partition));
    if (!mine) return false;
    first ||= now();
    seen.add(message.value);
    return true;
  };

  let newest: ReturnType<typeof behind> | undefined;
  let committing: Promise<void> | undefined;
  /** One commit at a time, each of all that has been processed by then. */
  async function commitAll() {
    while (newest) {
      const offsets = [newest];
      newest = undefined;
      await consumer.commit({ offsets });
      last = now();
    }
    committing = undefined;
  }

  async function consumeOneByOne() {
    for await (const message of stream) {
      if (!take(message)) continue;
      await consumer.commit({ offsets: [behind(message)] });
      last = now();
    }
  }

  function onMessage(message: Message) {
    if (!take(message)) return;
    if (commit === "auto") {
      last = now();
      return;
    }
    newest = behind(message);
    // Once for all that this turn brings
    committing ??= nextTurn().then(commitAll);
  }

  // Each of the four has one partition when all have joined. Only the second fetch from then on is sure to be of it.
  const settled = new Promise<void>((resolve) => {
    let fetches = 0;
    stream.on("fetch", () => {
      if (consumer.assignments?.[0]?.partitions.length !== 1) fetches = 0;
      else if (++fetches === 2) resolve();
    });
  });
  let consuming: Promise<void> | undefined;
  if (commit === "each") consuming = consumeOneByOne();
  else stream.on("data", onMessage);
  await settled;
  say("ready");
  sayProgress(() => seen.count);

  await told();
  await stream.close();
  await consuming;
  await committing;
  await consumer.close();
  say("done", { count: seen.count, first, last, ...seen.report() });
  process.exit();
}

await { producer: produce, consumer: consume }[role as "producer" | "consumer"](options);
