import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import { progress as brokerProgress } from "broker";
import { type Benchmark, type Options, type Session, withSession } from "../benchmark.ts";
import { type Kafka, startKafka } from "../kafka.ts";
import { packageVersion } from "../machine.ts";
import { findNative, findPika } from "../native.ts";
import { withQueue } from "../queue.ts";
import { environment, interleave, ResultFile, type Way } from "../results.ts";
import { type Program, typescript } from "../worker.ts";
import {
  type AmqpConsumer,
  type AmqpProducer,
  type KafkaConsumer,
  type KafkaProducer,
  type KafkaProfile,
  kafkaProfiles,
  type RabbitmqProfile,
  rabbitmqProfiles,
} from "./profiles.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";

const consumers = 4;
const kafkaClient = "@platformatic/kafka";

export const roundRobin: Benchmark = {
  name: "round-robin",
  summary: "one producer, four consumers, three sizes: RabbitMQ and Kafka",
  extras: ["c", "pika"],
  run: measure,
};

async function measure(options: Options): Promise<string> {
  const file = new ResultFile(join(options.folder, "results.jsonl"));
  if (options.plotOnly) return report(options.folder, file.read(), []);
  return withSession(async (session) => {
    const { broker, progress, signal, makeVirtualHost } = session;
    const kafka = await tryKafka(options, session);
    try {
      const further = await furtherWays(options.with);
      const { amqpUrl } = await makeVirtualHost();
      const sizes = options.quick ? [100] : [100, 500, 1_000];
      const messages = options.quick ? 2_000 : 100_000;
      const ways = sizes.flatMap((size) => [
        ...[...rabbitmqProfiles.map(withOurs), ...further.ways].map((way) =>
          rabbitmqWay(way, { size, messages }, amqpUrl, signal),
        ),
        ...("missing" in kafka
          ? []
          : kafkaProfiles.map((profile) =>
              kafkaWay(profile, { size, messages: messages * (profile.part ?? 1) }, kafka, signal),
            )),
      ]);
      const kafkaVersions =
        "missing" in kafka ? {} : { Kafka: kafka.version, [kafkaClient]: packageVersion(kafkaClient) };
      const results = await interleave(ways, {
        benchmark: roundRobin.name,
        rounds: options.rounds ?? (options.quick ? 1 : 5),
        file,
        resume: options.resume,
        quick: options.quick,
        progress,
        environment: environment(broker.version, { ...kafkaVersions, ...further.versions }),
        signal,
      });
      const missing = "missing" in kafka ? [kafka.missing] : [];
      return report(options.folder, results, [...missing, ...further.missing]);
    } finally {
      if (!("missing" in kafka)) await kafka.stop();
    }
  });
}

async function tryKafka({ quick }: Options, { signal }: Session): Promise<Kafka | { missing: string }> {
  const { say, end } = brokerProgress();
  try {
    return await startKafka({ offline: quick, say, signal });
  } catch (error) {
    signal.throwIfAborted();
    return { missing: (error as Error).message };
  } finally {
    end();
  }
}

interface Work {
  /** Of a body, in bytes. */
  size: number;
  messages: number;
}

/** One of RabbitMQ's profiles, and the programs that carry it out. */
interface RabbitmqWay {
  name: string;
  profile: RabbitmqProfile;
  producer(work: Work, queue: string): Program;
  consumer(work: Work, queue: string): Program;
}

const withOurs = (profile: RabbitmqProfile): RabbitmqWay => ({
  name: "RabbitMQ",
  profile,
  producer: (work, queue) =>
    typescript("round-robin/amqp-producer.ts", {
      ...profile.settings,
      ...work,
      queue,
    } satisfies AmqpProducer),
  consumer: ({ messages }, queue) =>
    typescript("round-robin/amqp-consumer.ts", {
      ...profile.settings,
      messages,
      queue,
    } satisfies AmqpConsumer),
});

function rabbitmqWay(
  { name: way, profile: { name, settings }, producer, consumer }: RabbitmqWay,
  work: Work,
  amqpUrl: string,
  signal: AbortSignal,
): Way {
  return {
    way,
    settings: { profile: name, ...work, consumers, ...settings },
    label: `${way}, ${name}, ${work.size} bytes`,
    total: work.messages,
    run: (progress) =>
      withQueue(amqpUrl, settings.queue, (queue, channel) =>
        run(
          {
            producer: producer(work, queue),
            consumers: Array.from({ length: consumers }, () => consumer(work, queue)),
            messages: work.messages,
            options: { amqpUrl, signal },
            remaining: async () => (await channel.checkQueue(queue)).messageCount,
          },
          progress,
        ),
      ),
  };
}

function kafkaWay(
  { name, settings }: KafkaProfile,
  work: Work,
  { brokers }: Kafka,
  signal: AbortSignal,
): Way {
  const { messages } = work;
  return {
    way: "Kafka",
    settings: { profile: name, ...work, consumers, ...settings },
    label: `Kafka, ${name}, ${work.size} bytes`,
    total: messages,
    async run(progress) {
      const topic = `bench-${randomUUID()}`;
      const group = topic;
      const admin = new Admin({ clientId: "bench", bootstrapBrokers: brokers });
      try {
        await admin.createTopics({ topics: [topic], partitions: consumers, replicas: 1 });
        const producer = { ...settings, ...work, brokers, topic } satisfies KafkaProducer;
        const consumer = { ...settings, brokers, topic, group, messages } satisfies KafkaConsumer;
        return await run(
          {
            producer: typescript("round-robin/kafka-producer.ts", producer),
            consumers: Array.from({ length: consumers }, () =>
              typescript("round-robin/kafka-consumer.ts", consumer),
            ),
            messages,
            options: { signal: signal },
            remaining: async () => messages - (await committed(admin, group)),
          },
          progress,
        );
      } finally {
        await admin.deleteGroups({ groups: [group] }).catch(() => {});
        await admin.deleteTopics({ topics: [topic] }).catch(() => {});
        await admin.close();
      }
    },
  };
}

/** How many messages a group has committed, in all partitions. */
async function committed(admin: Admin, group: string): Promise<number> {
  const groups = await admin.listConsumerGroupOffsets({ groups: [group] });
  const partitions = groups.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions));
  return partitions.reduce((sum, { committedOffset }) => sum + Number(committedOffset), 0);
}

/** The same work by others' programs: C's librabbitmq, tuned alike, and the tutorial in Python. */
async function furtherWays(names: string[]) {
  const ways: RabbitmqWay[] = [];
  const missing: string[] = [];
  const versions: Record<string, string> = {};
  const profile = (name: string) => rabbitmqProfiles.find((one) => one.name === name) as RabbitmqProfile;
  if (names.includes("c")) {
    const c = await findNative();
    const tuned = profile("tuned");
    if ("missing" in c) missing.push(c.missing);
    else {
      versions.C = c.version;
      ways.push({
        name: "C",
        profile: tuned,
        producer: ({ size, messages: count }, queue) => c.producer({ ...tuned.settings, queue, size, count }),
        consumer: ({ messages: count }, queue) => c.consumer({ ...tuned.settings, queue, count }),
      });
    }
  }
  if (names.includes("pika")) {
    const pika = await findPika();
    if ("missing" in pika) missing.push(pika.missing);
    else {
      versions.pika = pika.version;
      ways.push({
        name: "pika",
        profile: profile("tutorial"),
        producer: ({ size, messages: count }, queue) => pika.producer({ queue, size, count }),
        consumer: ({ messages: count }, queue) => pika.consumer({ queue, count }),
      });
    }
  }
  return { ways, missing, versions };
}
