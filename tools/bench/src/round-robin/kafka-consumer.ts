// A worker (see ../worker.ts) that is one of a consumer group, until it is told to stop.

import { setImmediate as nextTurn } from "node:timers/promises";
import { Consumer, MessagesStreamFallbackModes, MessagesStreamModes } from "@platformatic/kafka";
import { Seen } from "../seen.ts";
import { now, options, say, sayProgress, told } from "../work.ts";
import type { KafkaConsumer } from "./profiles.ts";

const { brokers, topic, group, messages, commit } = options as KafkaConsumer;
const seen = new Seen(messages);
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

/** What was asked for before the group shared out the partitions anew is another member's by now. */
const isMine = ({ partition }: Message) =>
  consumer.assignments?.some(({ partitions }) => partitions.includes(partition));

async function consumeOneByOne() {
  for await (const message of stream) {
    if (!isMine(message)) continue;
    seen.add(message.value);
    await consumer.commit({ offsets: [behind(message)] });
    last = now();
  }
}

function consume(message: Message) {
  if (!isMine(message)) return;
  seen.add(message.value);
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
else stream.on("data", consume);
await settled;
say("ready");
sayProgress(() => seen.count);

await told();
await stream.close();
await consuming;
await committing;
await consumer.close();
say("done", { count: seen.count, last, ...seen.report() });
process.exit();
