import { randomUUID } from "node:crypto";
import { Admin } from "@platformatic/kafka";
import { type Kafka, NoKafkaError, startKafka } from "kafka";
import type { Benchmark, Context } from "../engine/benchmark.ts";
import { packageVersion } from "../engine/machine.ts";
import { amqplib, findC, findCorked, type Players, typescript } from "../engine/programs.ts";
import { withQueue } from "../engine/queue.ts";
import { type Result, settingsInWords, type Variant } from "../engine/results.ts";
import type { Producer } from "../engine/roles.ts";
import { share } from "../engine/run.ts";
import { inFigures } from "../report/plot.ts";
import { figuresTable, inBrackets, type Report, type Table } from "../report/report.ts";
import { ratio, spread, where } from "../report/statistics.ts";
import type { KafkaConsumer, KafkaProducer } from "../workers/kafka.ts";
import { type KafkaProfile, kafkaProfiles, type RabbitmqProfile, rabbitmqProfiles } from "./profiles.ts";

const consumers = 4;

export const roundRobin: Benchmark = {
  name: "round-robin",
  summary: "one producer, four consumers, three sizes: RabbitMQ and Kafka",
  extras: ["c", "corked"],
  report,
  async prepare(context) {
    const others = await otherPlayers(context.with);
    const works = (context.quick ? [100] : [100, 500, 1_000]).map((size) => ({
      size,
      count: context.quick ? 2_000 : 100_000,
    }));
    const prepared = {
      ways: works.flatMap((work) => [
        ...rabbitmqProfiles.map((profile) =>
          rabbitmqWay(context, "RabbitMQ", profile, work, {
            producer: (producer) => amqplib("producer", { ...producer, ...beside(profile) }),
            consumer: (consumer) => amqplib("consumer", { ...consumer, ...beside(profile) }),
          }),
        ),
        ...others.players.map(({ way, profile, ...players }) =>
          rabbitmqWay(context, way, profile, work, players),
        ),
      ]),
      versions: others.versions,
      missing: others.missing,
    };
    const kafka = await tryKafka(context);
    if ("failed" in kafka) return { ...prepared, failed: kafka.failed };
    if ("missing" in kafka) return { ...prepared, missing: [...others.missing, kafka.missing] };
    const inKafka = works.flatMap((work) =>
      kafkaProfiles.map((profile) => kafkaWay(context, profile, work, kafka)),
    );
    const client = "@platformatic/kafka";
    return {
      ...prepared,
      ways: [...prepared.ways, ...inKafka],
      versions: { ...others.versions, Kafka: kafka.version, [client]: packageVersion(client) },
      close: kafka.stop,
    };
  },
};

/** What amqplib's worker is told beside the options that all take. */
const beside = ({ settings: { drain, noDelay } }: RabbitmqProfile) => ({ drain, noDelay });

/** Kafka, or why there is none: this machine lacks it, or it is here and doesn't start. */
async function tryKafka({ say, signal }: Context): Promise<Kafka | { missing: string } | { failed: string }> {
  try {
    return await startKafka({ say, signal });
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    return error instanceof NoKafkaError ? { missing: message } : { failed: message };
  }
}

/** Of a body, in bytes, and of how many messages. */
type Work = Pick<Producer, "size" | "count">;

function rabbitmqWay(
  context: Context,
  way: string,
  { name, settings }: RabbitmqProfile,
  work: Work,
  players: Players,
): Variant {
  const { persistent, window, prefetch, ack } = settings;
  return {
    way,
    settings: { profile: name, ...work, consumers, ...settings },
    label: `${way}, ${name}, ${work.size} bytes`,
    run: () =>
      withQueue(context.amqpUrl, settings.queue, (queue, channel) => {
        const consumer = players.consumer({ queue, prefetch, ack, count: work.count });
        const sharing = {
          producer: players.producer({ queue, ...work, persistent, window }),
          consumers: Array.from({ length: consumers }, () => consumer),
          messages: work.count,
          remaining: async () => (await channel.checkQueue(queue)).messageCount,
        };
        return share(sharing, context);
      }),
  };
}

function kafkaWay(
  context: Context,
  { name, settings, part = 1 }: KafkaProfile,
  { size, count: all }: Work,
  { brokers }: Kafka,
): Variant {
  const count = all * part;
  const { commit, ...publishing } = settings;
  return {
    way: "Kafka",
    settings: { profile: name, size, count, consumers, ...settings },
    label: `Kafka, ${name}, ${size} bytes`,
    async run() {
      const topic = `bench-${randomUUID()}`;
      const group = topic;
      const admin = new Admin({ clientId: "bench", bootstrapBrokers: brokers });
      try {
        await admin.createTopics({ topics: [topic], partitions: consumers, replicas: 1 });
        const producer: KafkaProducer = { brokers, topic, size, count, ...publishing };
        const consumer: KafkaConsumer = { brokers, topic, group, count, commit };
        const sharing = {
          producer: typescript("kafka.ts", "producer", producer),
          consumers: Array.from({ length: consumers }, () => typescript("kafka.ts", "consumer", consumer)),
          messages: count,
          remaining: async () => count - (await committed(admin, group)),
        };
        return await share(sharing, context);
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

/** The same work in C with the tuned settings, and on a patched amqplib. */
async function otherPlayers(names: string[]) {
  const players: (Players & { way: string; profile: RabbitmqProfile })[] = [];
  const missing: string[] = [];
  const versions: Record<string, string> = {};
  for (const [name, way, profiles, find] of [
    ["c", "C", ["tuned"], findC],
    ["corked", "corked", ["tuned", "durable"], findCorked],
  ] as const) {
    if (!names.includes(name)) continue;
    const found = await find();
    if ("missing" in found) {
      missing.push(found.missing);
      continue;
    }
    versions[way] = found.version;
    for (const profile of rabbitmqProfiles)
      if (profiles.some((name) => name === profile.name)) players.push({ way, profile, ...found });
  }
  return { players, missing, versions };
}

const profileNames = rabbitmqProfiles.map(({ name }) => name);
const unique = <T>(all: T[]): T[] => [...new Set(all)];

function report(results: Result[]): Report {
  const sizes = unique(results.map(({ settings }) => Number(settings.size)));
  const ways = ["RabbitMQ", "Kafka", "C", "corked"].filter((way) =>
    results.some((result) => result.way === way),
  );
  const messages = inFigures(Math.max(...results.map(({ settings }) => Number(settings.count))));
  const rounds = Math.max(...results.map(({ round }) => round));
  const at = (way: string, profile: string, size: number) => where(results, way, { profile, size });
  const throughput = (way: string, profile: string, size: number) =>
    spread(at(way, profile, size), "throughput");
  const [size = 0] = sizes;
  const durable = ["RabbitMQ", "Kafka"].map(
    (way) => `${way} ${inBrackets(throughput(way, "durable", size))}`,
  );
  const figures = {
    throughput: "messages a second",
    publishing: "published a second",
    duplicates: "duplicates",
    leastShare: "least share",
  };
  return {
    title: "One producer, four consumers: RabbitMQ and Kafka",
    summary: [`durable, ${size} bytes, messages a second: ${durable.join(", ")}`],
    about: [
      `One process publishes ${messages} messages to four others, which share them: in RabbitMQ from one queue, in Kafka as a consumer group of one topic with four partitions. Each is a process with one connection, on the same machine as the broker: Node, except for C.`,
      "Measured from just before the first publish to the last acknowledgement, or commit. Publishing begins when all four consumers have subscribed or have been assigned a partition. Each message carries its number: a run that loses one fails, and one that is delivered again is counted.",
    ],
    plots: sizes.map((size) => ({
      name: `throughput-${size}`,
      title: `${messages} messages of ${size} bytes from one producer to four consumers`,
      subtitle: `Medians, whiskers from the least to the greatest of ${rounds === 1 ? "one round" : `${rounds} rounds`}; higher is better`,
      kind: "bars",
      categories: profileNames,
      xLabel: "profile",
      yLabel: "messages a second",
      series: ways.map((way) => ({
        name: way,
        points: profileNames.map((name) => throughput(way, name, size)),
      })),
    })),
    tables: [
      {
        caption: "Medians, in messages a second",
        columns: ["profile", "", ...sizes.map((size) => `${size} bytes`)],
        rows: profileNames.flatMap((name) =>
          ways
            .filter((way) => sizes.some((size) => throughput(way, name, size)))
            .map((way) => [
              `\`${name}\``,
              way,
              ...sizes.map((size) => {
                const found = throughput(way, name, size);
                return found ? inFigures(found.median) : "";
              }),
            ]),
        ),
      },
      ratios(sizes, (ours, theirs, size) => ratio(at(...ours, size), at(...theirs, size), "throughput")),
      figuresTable(results, figures, ["size", "profile"]),
    ],
    guarantees: {
      caption: "What each profile promises, and how fair it is",
      columns: ["profile", "broker", "a message is", "settings", "how fair"],
      rows: [
        ...rabbitmqProfiles.map((profile) => ({ ...profile, broker: "RabbitMQ" })),
        ...kafkaProfiles.map((profile) => ({ ...profile, broker: "Kafka" })),
      ]
        .toSorted((a, b) => profileNames.indexOf(a.name) - profileNames.indexOf(b.name))
        .map(({ name, broker, guarantee, settings, fairness }) => [
          name,
          broker,
          guarantee,
          settingsInWords(settings),
          fairness,
        ]),
    },
    notes: [
      "The brokers run on one node each, with their own defaults; Kafka with the heap and the collector that its own start script gives it. Replication, which is what both are made for, is not measured.",
      "Both brokers are up during all runs, and idle while the other one works.",
      "The client libraries are part of what is measured: amqplib and @platformatic/kafka, both JavaScript.",
      "Kafka groups the messages of a request by partition and stores them as one batch. RabbitMQ routes, stores and delivers each message by itself, and can then retry, expire or dead-letter each by itself.",
    ],
  };
}

type Choice = [way: string, profile: string];

/** What the tuned settings gain, and how near to C they are. */
function ratios(
  sizes: number[],
  find: (ours: Choice, theirs: Choice, size: number) => ReturnType<typeof ratio>,
): Table {
  const pairs: [string, Choice, Choice][] = [
    ["tuned ÷ tutorial: prefetch 250, grouped acks", ["RabbitMQ", "tuned"], ["RabbitMQ", "tutorial"]],
    ["tuned ÷ C with the same settings", ["RabbitMQ", "tuned"], ["C", "tuned"]],
    ["tuned: amqplib with corked writes ÷ without", ["corked", "tuned"], ["RabbitMQ", "tuned"]],
    ["tuned: amqplib with corked writes ÷ C", ["corked", "tuned"], ["C", "tuned"]],
    ["durable: amqplib with corked writes ÷ without", ["corked", "durable"], ["RabbitMQ", "durable"]],
    ["tutorial: Kafka ÷ RabbitMQ", ["Kafka", "tutorial"], ["RabbitMQ", "tutorial"]],
    ["durable: Kafka ÷ RabbitMQ", ["Kafka", "durable"], ["RabbitMQ", "durable"]],
    ["fast: Kafka ÷ RabbitMQ", ["Kafka", "fast"], ["RabbitMQ", "fast"]],
  ];
  return {
    caption: "Ratios, taken round by round: their median, and in brackets the least and the greatest",
    columns: ["throughput of", ...sizes.map((size) => `${size} bytes`)],
    rows: pairs
      .map(([what, ours, theirs]) => [what, ...sizes.map((size) => inBrackets(find(ours, theirs, size), ""))])
      .filter(([, ...cells]) => cells.some(Boolean)),
  };
}
