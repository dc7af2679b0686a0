import type { Session } from "../benchmark.ts";
import { kept } from "../kept.ts";
import { measuredBy } from "../latency.ts";
import { findNative } from "../native.ts";
import { type QueueType, queueTypes, withQueue } from "../queue.ts";
import type { Way } from "../results.ts";
import { type Program, startWorker, typescript } from "../worker.ts";
import type { Publishing } from "./publisher.ts";
import { report } from "./report.ts";

/** Bytes of a body. */
const size = 100;

/** How each way waits, and how many messages it takes for a second or two. */
const strategies = [
  { way: "individually", unconfirmed: [1] },
  { way: "batches", unconfirmed: [10, 100, 1000] },
  { way: "windows", unconfirmed: [10, 100, 1000] },
];
const counts: Record<number, number> = { 1: 2_000, 10: 10_000, 100: 30_000, 1000: 50_000 };

export const confirms = kept({
  name: "confirms",
  summary: "publishing with confirms, one by one, in batches and in windows, on classic and quorum queues",
  report,
  async prepare(session, { quick }) {
    const c = await findNative();
    const { amqpUrl } = await session.makeVirtualHost();
    const messages = (unconfirmed: number) => (quick ? 200 : (counts[unconfirmed] ?? 0));
    const ours = strategies.flatMap(({ way, unconfirmed }) =>
      unconfirmed.flatMap((unconfirmed) =>
        queueTypes.map((queueType) => {
          const settings = {
            messages: messages(unconfirmed),
            warmUp: messages(unconfirmed) / 10,
            size,
            unconfirmed,
          };
          const waitForAll = way !== "windows";
          return publishing(session, amqpUrl, way, { ...settings, queue: queueType }, (queue) =>
            typescript("confirms/publisher.ts", { ...settings, waitForAll, queue } satisfies Publishing),
          );
        }),
      ),
    );
    if ("missing" in c) return { ways: ours, versions: {} };
    const theirs = queueTypes.map((queueType) => {
      const settings = { messages: messages(1000), warmUp: 0, size, unconfirmed: 1000, queue: queueType };
      return publishing(session, amqpUrl, "windows, in C", settings, (queue) =>
        c.producer({ queue, count: settings.messages, size, persistent: true, window: 1000 }),
      );
    });
    return { ways: [...ours, ...theirs], versions: { C: c.version } };
  },
});

interface ConfirmSettings extends Record<string, string | number> {
  messages: number;
  warmUp: number;
  size: number;
  unconfirmed: number;
  queue: QueueType;
}

function publishing(
  { signal }: Session,
  amqpUrl: string,
  way: string,
  settings: ConfirmSettings,
  program: (queue: string) => Program,
): Way {
  const { messages, warmUp, unconfirmed, queue: type } = settings;
  return {
    way,
    settings,
    label: `${way}, ${unconfirmed} unconfirmed, ${type} queue`,
    total: messages,
    run: (progress) =>
      withQueue(amqpUrl, type, async (queue, channel) => {
        const worker = startWorker(program(queue), {
          amqpUrl,
          signal,
          onProgress: (count) => progress.update(count),
        });
        try {
          await worker.ready;
          worker.go();
          const done = await worker.done;
          const { messageCount } = await channel.purgeQueue(queue);
          if (messageCount !== messages + warmUp)
            throw new Error(
              `${way}: ${messageCount} of ${messages + warmUp} confirmed messages are in the queue.`,
            );
          return measuredBy(done);
        } finally {
          await worker.kill();
        }
      }),
  };
}
