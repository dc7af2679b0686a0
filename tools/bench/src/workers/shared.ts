// The worker (see ../engine/worker.ts) on this project's `shared`, with the same work as the one on amqplib.

import type { Channel } from "amqplib";
import { openConsumer, produce } from "shared";
import type { Consumer, Producer } from "../engine/roles.ts";
import { numbered, Seen } from "../engine/seen.ts";
import { now, options, role, say, sayProgress, told } from "./events.ts";

const { warmUp = 0 }: { warmUp?: number } = options;

/** Publishes all in one `produce`, which resolves when all are confirmed. */
async function produceAll({ queue, count, size, persistent }: Producer) {
  let published = 0;
  const publish = (until: number) =>
    produce((channel) => {
      while (published < until) channel.sendToQueue(queue, numbered(published++, size), { persistent });
    });
  await publish(warmUp);
  say("ready");
  await told();
  sayProgress(() => published - warmUp);
  const first = now();
  await publish(warmUp + count);
  say("done", { count, first, last: now() });
}

/** Consumes as `consume` does, without its signals. */
async function consumeAll({ queue, prefetch, count }: Consumer) {
  const seen = new Seen(count);
  let deliveries = 0;
  let first = 0;
  let last = 0;
  const consumer = await openConsumer(async (channel: Channel) => {
    await channel.prefetch(prefetch);
    await channel.consume(queue, (message) => {
      if (!message) return;
      if (deliveries++ === warmUp) first = now();
      seen.add(message.content);
      channel.ack(message);
      last = now();
    });
  });
  say("ready");
  sayProgress(() => deliveries);
  await told();
  await consumer.stop();
  await consumer.close();
  say("done", { count: deliveries, first, last, ...seen.report() });
  process.exit();
}

await { produce: produceAll, consume: consumeAll }[role as "produce" | "consume"](options);
