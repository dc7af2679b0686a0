import type { ConfirmChannel } from "amqplib";
import type { Session } from "../benchmark.ts";
import { kept } from "../kept.ts";
import { withQueue } from "../queue.ts";
import type { Way } from "../results.ts";
import { startWorker, typescript } from "../worker.ts";
import type { Consuming } from "./consumer.ts";
import { acks, limits, quickLimits, report } from "./report.ts";

/** Bytes of a body. */
const size = 100;

export const prefetch = kept({
  name: "prefetch",
  summary: "consuming with prefetch 1 to 1000, acknowledged one by one and grouped",
  report,
  async prepare(session, { quick }) {
    const { amqpUrl } = await session.makeVirtualHost();
    const messages = (prefetch: number) => (quick ? 500 : prefetch === 1 ? 10_000 : 40_000);
    const ways = (quick ? quickLimits : limits).flatMap((prefetch) =>
      acks.map((ack) => consuming(session, amqpUrl, { prefetch, ack, messages: messages(prefetch) })),
    );
    return { ways, versions: {} };
  },
});

function consuming(
  { signal }: Session,
  amqpUrl: string,
  { prefetch, ack, messages }: Pick<Consuming, "prefetch" | "ack" | "messages">,
): Way {
  const warmUp = messages / 10;
  return {
    way: ack,
    settings: { prefetch, messages, warmUp, size, queue: "classic" },
    label: `prefetch ${prefetch}, acks ${ack === "each" ? "one by one" : "grouped"}`,
    total: messages + warmUp,
    run: (progress) =>
      withQueue(amqpUrl, "classic", async (queue, channel) => {
        await fill(channel, queue, messages + warmUp);
        const consuming = { queue, prefetch, ack, messages, warmUp } satisfies Consuming;
        const worker = startWorker(typescript("prefetch/consumer.ts", consuming), {
          amqpUrl,
          signal,
          onProgress: (count) => progress.update(count),
        });
        try {
          const { count, first, last } = await worker.done;
          // What isn't acknowledged was put back when the consumer's channel closed.
          const { messageCount } = await channel.purgeQueue(queue);
          if (messageCount > 0) throw new Error(`${messageCount} messages were not acknowledged.`);
          return { throughput: (Number(count) / (Number(last) - Number(first))) * 1000 };
        } finally {
          await worker.kill();
        }
      }),
  };
}

async function fill(channel: ConfirmChannel, queue: string, messages: number): Promise<void> {
  const body = Buffer.alloc(size, "x");
  for (let n = 0; n < messages; n++) channel.sendToQueue(queue, body, { persistent: true });
  await channel.waitForConfirms();
}
