/**
 * The contract of the official tutorials (https://www.rabbitmq.com/tutorials), as programs in every language keep it.
 *
 * A peer is one program for each language, in ../peers. It never prints: it tells what it has received by a message to
 * the queue `seen`, because some languages buffer what they print to a pipe. That message has the body of the delivery,
 * and headers, all of them strings: `source` (the queue or the exchange that the tutorial names, or `rpc` for an
 * answer), `routing_key`, `redelivered`, `content_type`, `delivery_mode`, `correlation_id` and `message_id`, empty where
 * the delivery has none. AMQP_URL in its environment is one URL or several, with spaces between them. Its roles are:
 *
 * - `consume`: does what the consumers of all seven tutorials do, until it is killed.
 * - `produce NAME`: does what the producers do, at each URL in turn. It publishes all of `bodies`, and text for
 *   the queue `confirms`, and waits for each confirm. It calls the RPC server six times, with the ids in `calls`, and
 *   reports the answers: three times with direct reply-to, then three times with an exclusive queue. Exit code 0 means
 *   that the broker has confirmed everything and that each call was answered.
 * - `serve TYPE`: answers calls, from a durable `rpc_queue` of that type, until it is killed.
 */
export interface Tutorial {
  number: number;
  /** The queue or the exchange. */
  source: string;
  routingKey: string;
  /** Whether its messages survive a restart of the broker in any durable queue. */
  persistent: boolean;
  /** Our package. */
  example: string;
  /** Our consumer: a script of that package and its arguments. */
  consumer: string[];
  /** Our producer of a message. */
  producer: (text: string) => string[];
  /** The line that our consumer prints for a message. */
  prints: (text: string) => string;
}

/** Tutorials 1 to 5, which only differ in where a message goes. */
export const tutorials: Tutorial[] = [
  {
    number: 1,
    source: "hello",
    routingKey: "hello",
    persistent: false,
    example: "hello",
    consumer: ["receive"],
    producer: (text) => ["send", text],
    prints: (text) => ` [x] Received ${text}`,
  },
  {
    number: 2,
    source: "task_queue",
    routingKey: "task_queue",
    persistent: true,
    example: "work-queues",
    consumer: ["worker"],
    producer: (text) => ["new-task", text],
    prints: (text) => ` [x] Received ${text}`,
  },
  {
    number: 3,
    source: "logs",
    routingKey: "",
    persistent: false,
    example: "pubsub-fanout",
    consumer: ["sub"],
    producer: (text) => ["pub", text],
    prints: (text) => ` [x] ${text}`,
  },
  {
    number: 4,
    source: "direct_logs",
    routingKey: "error",
    persistent: false,
    example: "routing-direct",
    consumer: ["sub", "warning", "error"],
    producer: (text) => ["pub", "error", text],
    prints: (text) => ` [x] error: '${text}'`,
  },
  {
    number: 5,
    source: "topic_logs",
    routingKey: "kern.critical",
    persistent: false,
    example: "topics",
    consumer: ["sub", "kern.*", "*.critical"],
    producer: (text) => ["pub", "kern.critical", text],
    prints: (text) => ` [x] kern.critical:'${text}'`,
  },
];

/** Tutorial 6. */
export const rpc = {
  number: 6,
  queue: "rpc_queue",
  example: "rpc",
  server: ["server"],
  client: ["client", "30"],
  answer: "832040",
  prints: " [.] Got 832040",
};

/** Tutorial 7. The official ones use a queue of their own, which no other program sees. This is ours. */
export const confirms = {
  number: 7,
  queue: "confirms",
  example: "publisher-confirms",
  consumer: ["sub"],
  producer: ["pub", "async", "--count", "3"],
  bodies: ["Message 1 of 3", "Message 2 of 3", "Message 3 of 3"],
  /** What our consumer prints for messages of that type: ours are published "asynchronously". */
  prints: (type: string) => ` [x] All 3 messages, published ${type}`,
};

/** The exchanges of tutorials 3 to 5, none of them durable, and how many bindings a consumer adds. */
export const exchanges = {
  logs: { type: "fanout", bindings: 1 },
  direct_logs: { type: "direct", bindings: 2 },
  topic_logs: { type: "topic", bindings: 2 },
};

/** The queues that a consumer of all tutorials consumes. */
export const queues = ["hello", "task_queue", rpc.queue, confirms.queue];

/** What each producer publishes. Our scripts replace an empty text by another, so they publish no empty body. */
export function bodies(name: string): { text: string; empty: string; large: string } {
  return { text: `Grüße, 世界 🐇 from ${name}`, empty: "", large: name.padEnd(100 * 1024, "x") };
}

/** The ids of a peer's calls, and which of them our server puts into the answer's correlation id. */
export const calls = [
  { ids: "a correlation id", answered: "c" },
  { ids: "a message id", answered: "m" },
  { ids: "both ids", answered: "c" },
];
