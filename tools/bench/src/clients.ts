import type { ConfirmChannel } from "amqplib";
import type { Session } from "./benchmark.ts";
import type { Consuming, Publishing } from "./clients/work.ts";
import { kept } from "./kept.ts";
import { packageVersion } from "./machine.ts";
import { findNative, findPika, type Missing, type Native, type Pika } from "./native.ts";
import { figuresTable, writePage } from "./page.ts";
import type { Progress } from "./progress.ts";
import { withQueue } from "./queue.ts";
import type { Measured, Result } from "./results.ts";
import { addUp, type Tally } from "./seen.ts";
import { groupBy, ratio, spread } from "./statistics.ts";
import { type Program, startWorker, typescript } from "./worker.ts";

/** How a client's workers are started. */
interface Client {
  way: string;
  program(work: Publishing | Consuming): Program;
}

/** The same for all, whatever they could do beside. Bodies in bytes, the rest in messages. */
const settings = { size: 100, window: 100, prefetch: 250, noDelay: true, ack: "each" };

/** What is measured, in messages a second, in the order in which it is done. */
const figures = {
  confirmed: "published with confirms /s",
  acknowledged: "consumed with acks /s",
  published: "published without /s",
  delivered: "consumed without /s",
};

/** How long, in ms, one of a run's four parts may take before it counts as stuck. */
const PATIENCE = 120_000;

export const clients = kept({
  name: "clients",
  summary: "the same work with amqplib, rabbitmq-client, amqp-client.js, Python's pika and C's librabbitmq",
  async prepare(session, { quick }) {
    const [native, pika] = await Promise.all([findNative(), findPika()]);
    for (const found of [native, pika]) if ("missing" in found) console.error(found.missing);
    const messages = quick ? 1_000 : 25_000;
    const { amqpUrl } = await session.makeVirtualHost();
    return {
      ways: findClients(native, pika).map(({ way, program }) => ({
        way,
        settings: { ...settings, messages },
        total: 4 * messages,
        run: (progress) =>
          withQueue(amqpUrl, "classic", (queue, channel) =>
            run({ program, messages, amqpUrl, queue, channel, progress, signal: session.signal }),
          ),
      })),
      versions: {
        "rabbitmq-client": packageVersion("rabbitmq-client"),
        "@cloudamqp/amqp-client": packageVersion("@cloudamqp/amqp-client"),
        ...("version" in pika && { pika: pika.version.replace("pika ", "") }),
        ...("version" in native && { librabbitmq: native.version.replace("librabbitmq ", "") }),
      },
    };
  },
  report,
});

function findClients(native: Native | Missing, pika: Pika | Missing): Client[] {
  const found: Client[] = ["amqplib", "rabbitmq-client", "amqp-client"].map((way) => ({
    way,
    program: (work) => typescript(`clients/${way}.ts`, work),
  }));
  if ("version" in pika)
    found.push({ way: "pika", program: foreign(pika.tunedProducer, pika.tunedConsumer) });
  if ("version" in native) found.push({ way: "C", program: foreign(native.producer, native.consumer) });
  return found;
}

const foreign =
  (producer: Pika["tunedProducer"], consumer: Pika["tunedConsumer"]) =>
  (work: Publishing | Consuming): Program =>
    work.role === "publish"
      ? producer({ ...work, count: work.messages })
      : consumer({ ...work, count: work.messages, ack: work.prefetch > 0 ? "each" : "auto" });

/** An address with the login that others use when it has none: rabbitmq-client would send an empty one. */
function withLogin(amqpUrl: string): string {
  const url = new URL(amqpUrl);
  if (url.username === "") Object.assign(url, { username: "guest", password: "guest" });
  return url.href;
}

interface Run {
  program: Client["program"];
  messages: number;
  amqpUrl: string;
  queue: string;
  channel: ConfirmChannel;
  progress: Progress;
  signal: Session["signal"];
}

/**
 * Publishes and consumes with confirms and acknowledgements, then without.
 *
 * @throws When a message is missing, comes twice or stays, a worker fails or is stuck, or the signal says so.
 */
async function run({ program, messages, amqpUrl, queue, channel, progress, signal }: Run): Promise<Measured> {
  let done = 0;
  const measure = async (work: Publishing | Consuming) => {
    const worker = startWorker(program(work), {
      amqpUrl: withLogin(amqpUrl),
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
      onProgress(count) {
        progress.update(done + count);
        if (work.role === "consume" && count === messages) worker.go();
      },
    });
    try {
      await worker.ready;
      if (work.role === "publish") worker.go();
      const { count, first, last, ...tally } = await worker.done;
      if (count !== messages) throw new Error(`${count} of ${messages} messages.`);
      if (work.role === "consume") {
        const { missing, duplicates } = addUp([tally as unknown as Tally], messages);
        const { messageCount } = await channel.checkQueue(queue);
        if (missing + duplicates + messageCount > 0)
          throw new Error(
            `${missing} messages are missing, ${duplicates} came twice, ${messageCount} would come again.`,
          );
      }
      done += messages;
      return messages / ((Number(last) - Number(first)) / 1000);
    } finally {
      await worker.kill();
    }
  };
  const { size, window, prefetch } = settings;
  const publish = { role: "publish", queue, messages, size } as const;
  const consume = { role: "consume", queue, messages } as const;
  return {
    confirmed: await measure({ ...publish, persistent: true, window }),
    acknowledged: await measure({ ...consume, prefetch }),
    published: await measure({ ...publish, persistent: false, window: 0 }),
    delivered: await measure({ ...consume, prefetch: 0 }),
  };
}

/** Each round begins with another client; the page has one order. */
const rank = (way: string) => abilities.rows.findIndex(([client]) => client === way);

/** @returns What matters most. */
function report(folder: string, results: Result[]): string {
  const byWay = new Map(
    [...groupBy(results, ({ way }) => way)].sort(([one], [other]) => rank(one) - rank(other)),
  );
  const absent = abilities.rows.flatMap(([client = ""]) => (byWay.has(client) ? [] : [client]));
  const missing = absent.length > 0 ? [`Not measured, since it isn't installed: ${absent.join(", ")}.`] : [];
  const address = writePage(folder, {
    title: "Clients at the same work",
    about: [
      `One process publishes ${results[0]?.settings.messages} messages of ${settings.size} bytes to a durable classic queue, then another consumes them: first persistent ones, with confirms of which ${settings.window} may be outstanding, and with prefetch ${settings.prefetch}, each acknowledged by itself; then transient ones, without confirms and without acknowledgements.`,
      "A publisher's time runs from its first message until the last is confirmed, or without confirms until the broker has answered what was asked after it on that channel. A consumer's runs from its first to its last message, all of which wait in the queue. Each message is numbered, and a run in which one is missing, comes twice or stays fails.",
    ],
    plots: [
      {
        name: "clients",
        title: "Messages a second, by client",
        subtitle: `${settings.size} bytes; median, least and greatest of the rounds`,
        kind: "bars",
        categories: ["publish, confirms", "consume, acks", "publish, none", "consume, none"],
        xLabel: "",
        yLabel: "messages/s",
        series: [...byWay].map(([name, group]) => ({
          name,
          points: Object.keys(figures).map((figure) => spread(group, figure)),
        })),
      },
    ],
    tables: [figuresTable([...byWay.values()].flat(), figures, [])],
    guarantees: abilities,
    notes: [
      "All have TCP_NODELAY set and use the client's own way of doing it: for Node's other two that is a promise for each message, of which as many are pending as may be unconfirmed, or 1,000 where there are no confirms.",
      "Consumers acknowledge one by one, since rabbitmq-client's do nothing else. pnpm bench prefetch shows what grouping gains.",
      "librabbitmq writes each frame with a system call of its own, so a client that gathers its writes may publish faster than C.",
      ...missing,
    ],
    results,
  });

  const ours = byWay.get("amqplib") ?? [];
  const against = [...byWay].flatMap(([way, theirs]) => {
    const ratios = Object.keys(figures).map((figure) => ratio(ours, theirs, figure)?.median.toFixed(2));
    return way === "amqplib" ? [] : [`${ratios.join(", ")} of ${way}`];
  });
  return [
    "amqplib publishes with confirms, consumes with acks, and does both without, at these parts of the others' rates:",
    ...against.map((line) => `  ${line}`),
    ...missing,
    `Plot and page: ${address}`,
  ].join("\n");
}

/** Read in their sources, in the versions that the page names. */
const abilities = {
  caption: "What each can and can't do",
  columns: ["client", "noDelay", "confirms", "backpressure", "acknowledges several at once", "reconnects"],
  rows: [
    [
      "amqplib",
      "an option, off by default",
      "a callback for each message",
      "publish() returns false, then drain",
      "yes",
      "an option",
    ],
    [
      "rabbitmq-client",
      "an option, off by default",
      "a promise for each message",
      "the promise",
      "only a raw channel: its consumer acknowledges each message when the handler returns",
      "always",
    ],
    [
      "amqp-client",
      "no option: set on its socket",
      "a promise for each message",
      "the promise",
      "yes",
      "AMQPSession does; AMQPClient, measured here, doesn't",
    ],
    [
      "pika",
      "always",
      "SelectConnection: a callback; BlockingConnection waits for each",
      "BlockingConnection: publishing blocks; SelectConnection buffers without bound",
      "yes",
      "no",
    ],
    ["C", "always", "read as frames", "publishing blocks", "yes", "no"],
  ],
};
