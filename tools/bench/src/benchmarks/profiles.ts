import type { AmqplibOptions, Consumer, Producer } from "../engine/roles.ts";
import type { KafkaConsumer, KafkaProducer } from "../workers/kafka.ts";

/** One way to do the assignment on one of the brokers. */
export interface Profile<Settings> {
  name: string;
  /** What is guaranteed about a message. */
  guarantee: string;
  /** What is fair about the comparison, and what isn't. */
  fairness: string;
  settings: Settings;
}

export type RabbitmqProfile = Profile<
  { queue: "quorum" | "classic" } & Pick<Producer, "persistent" | "window"> &
    Pick<Consumer, "prefetch" | "ack"> &
    Required<Pick<AmqplibOptions, "drain" | "noDelay">>
>;

/** `part`: which part of the messages is enough for a rate. By default all. */
export type KafkaProfile = Profile<
  Pick<KafkaProducer, "acks" | "batch" | "inFlight"> & Pick<KafkaConsumer, "commit">
> & { part?: number };

const tutorial = {
  queue: "quorum",
  persistent: true,
  window: 0,
  drain: false,
  noDelay: false,
  prefetch: 1,
  ack: "each",
} as const;
const tuned = { ...tutorial, drain: true, noDelay: true, prefetch: 250, ack: "grouped" } as const;

export const rabbitmqProfiles: RabbitmqProfile[] = [
  {
    name: "tutorial",
    guarantee:
      "Lost if the broker dies before it has stored it: the publisher asks for no confirm. From then on at least once.",
    fairness:
      "The official tutorial's own settings. Prefetch 1 has a worker wait for the broker after each message: right for work that takes seconds, slow for work that takes none.",
    settings: tutorial,
  },
  {
    name: "tuned",
    guarantee: "The tutorial's.",
    fairness: "The tutorial's queue and messages. What differs from it is in the clients alone.",
    settings: tuned,
  },
  {
    name: "durable",
    guarantee: "At least once: confirmed when it is on disk, acknowledged when it has been processed.",
    fairness:
      "RabbitMQ writes to disk with fsync before it confirms; Kafka leaves that to the operating system. On one node neither survives the loss of the disk.",
    settings: { ...tuned, window: 1_000 },
  },
  {
    name: "fast",
    guarantee: "At most once: no confirms and no acknowledgements.",
    fairness:
      "A classic queue, as RabbitMQ 4 has no transient one that is shared. Transient messages, taken as delivered when they are sent.",
    settings: { ...tuned, queue: "classic", persistent: false, prefetch: 0, ack: "auto" },
  },
];

export const kafkaProfiles: KafkaProfile[] = [
  {
    name: "tutorial",
    guarantee: "At least once: acks=all, the offset committed after each message.",
    fairness:
      "The nearest to prefetch 1, though Kafka isn't meant to be used like that: a request for each message, a commit for each message, and the next one only after that. A fetch still brings many. A fiftieth of the messages: all would take minutes.",
    part: 0.02,
    settings: { acks: "all", batch: 1, inFlight: 1_000, commit: "each" },
  },
  {
    name: "durable",
    guarantee: "At least once: acks=all, offsets committed after the messages have been processed.",
    fairness:
      "As many unanswered messages as RabbitMQ's window: 5 requests of 200. Kafka answers when the message is in the page cache of all in-sync replicas, here one, and relies on replicas instead of fsync.",
    settings: { acks: "all", batch: 200, inFlight: 5, commit: "grouped" },
  },
  {
    name: "fast",
    guarantee: "At most once from the producer (acks=0), offsets committed every 5 s.",
    fairness: "Kafka stores the messages all the same; it has nothing that doesn't.",
    settings: { acks: "none", batch: 1_000, inFlight: 5, commit: "auto" },
  },
];
