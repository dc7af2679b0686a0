// The worker (see ../engine/worker.ts) on this project's `shared`, with the same work as the one on amqplib.

import { handle, openConsumer, openPublisher } from "shared";
import type { Consumer, Producer } from "../engine/roles.ts";
import { numbered, Seen } from "../engine/seen.ts";
import { measurePublishing, now, openCount, options, role, say, sayProgress, told } from "./events.ts";

const { warmUp = 0 }: { warmUp?: number } = options;

/** Publishes all in a loop, which waits while the window is full. */
async function publishAll({ queue, count, size, persistent, window }: Producer) {
  const publisher = openPublisher({ window });
  await publisher.ready;
  let published = 0;
  const unconfirmed = openCount();
  async function publish(until: number) {
    while (published < until) {
      await publisher.room();
      unconfirmed.add();
      void publisher.publish("", queue, numbered(published++, size), { persistent }).then(unconfirmed.remove);
    }
    await unconfirmed.below(1);
  }
  await measurePublishing({ count, warmUp }, publish, () => published);
}

/** Consumes as `consume` does, without its signals. */
async function consumeAll({ queue, prefetch, ack, count }: Consumer) {
  const seen = new Seen(count);
  let deliveries = 0;
  let first = 0;
  let last = 0;
  const consumer = openConsumer(async (channel) => {
    await channel.prefetch(prefetch);
    const isGrouped = ack === "grouped";
    const onMessage = handle(
      (message) => {
        if (deliveries++ === warmUp) first = now();
        seen.add(message.content);
        if (!isGrouped) channel.ack(message);
        last = now();
      },
      { acknowledge: isGrouped ? "grouped" : "handler" },
    );
    await channel.consume(queue, onMessage);
  });
  await consumer.ready;
  say("ready");
  sayProgress(() => deliveries);
  await told();
  await consumer.stop();
  await consumer.close();
  say("done", { count: deliveries, first, last, ...seen.report() });
  process.exit();
}

const roles = { publisher: publishAll, consume: consumeAll };
await roles[role as keyof typeof roles](options);
