// A worker (see ../worker.ts) that publishes a run's messages to a topic, evenly to its partitions.

// The client: @platformatic/kafka is released every few weeks, and its 1.x runs on Node 20 without a native part;
// kafkajs had its last release in 2023, and Confluent's downloads or compiles librdkafka when it is installed.
import { ProduceAcks, Producer } from "@platformatic/kafka";
import { numbered } from "../seen.ts";
import { now, options, say, sayProgress, told } from "../work.ts";
import type { KafkaProducer } from "./profiles.ts";

const { brokers, topic, messages, size, acks, batch, inFlight } = options as KafkaProducer;

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
let unanswered = 0;
let failure: unknown;
let onAnswer = () => {};
const room = (below: number) =>
  new Promise<void>((resolve, reject) => {
    onAnswer = () => {
      if (failure) reject(failure);
      else if (unanswered < below) resolve();
    };
    onAnswer();
  });
sayProgress(() => published);

const first = now();
while (published < messages) {
  if (unanswered === inFlight) await room(inFlight);
  const count = Math.min(batch, messages - published);
  const from = published;
  published += count;
  unanswered++;
  producer.send(
    {
      messages: Array.from({ length: count }, (_, n) => ({
        topic,
        partition: (from + n) % 4,
        value: numbered(from + n, size),
      })),
    },
    (error) => {
      unanswered--;
      failure ??= error;
      onAnswer();
    },
  );
}
await room(1);
const last = now();
await producer.close();
say("done", { count: published, first, last });
process.exit();
