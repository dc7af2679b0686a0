// The worker (see ../engine/worker.ts) on amqplib: one program with both roles.

import { once } from "node:events";
import { createRequire } from "node:module";
import type { ConsumeMessage } from "amqplib";
import type { AmqplibOptions, Consumer, Producer, Roles } from "../engine/roles.ts";
import { numbered, Seen } from "../engine/seen.ts";
import {
  latencies,
  measurePublishing,
  now,
  openCount,
  options,
  role,
  say,
  sayProgress,
  told,
} from "./events.ts";

const {
  module = "amqplib",
  noDelay = true,
  warmUp = 0,
  drain = true,
  batches = false,
}: AmqplibOptions = options;
const amqp: typeof import("amqplib") = createRequire(import.meta.url)(module);
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay });

async function produce({ queue, count, size, persistent, window }: Producer) {
  const channel = await (window > 0 ? connection.createConfirmChannel() : connection.createChannel());
  const unconfirmed = openCount();
  let published = 0;

  async function publish(until: number, record: (ms: number) => void) {
    while (published < until) {
      if (window > 0 && unconfirmed.size === window) await unconfirmed.below(batches ? 1 : window);
      unconfirmed.add();
      const began = performance.now();
      const body = numbered(published++, size);
      // A channel without confirms ignores the callback.
      const written = channel.publish("", queue, body, { persistent }, (refusal) => {
        if (refusal) throw refusal;
        record(performance.now() - began);
        unconfirmed.remove();
      });
      if (!written && drain) await once(channel, "drain");
    }
    if (window > 0) await unconfirmed.below(1);
    // The answer means that the broker has read all that came before.
    else await channel.checkQueue(queue);
  }

  let measured = latencies();
  const publishMeasured = (until: number) => {
    // Those of the warm-up don't count.
    measured = latencies();
    return publish(until, measured.record);
  };
  await measurePublishing(
    { count, warmUp },
    publishMeasured,
    () => published,
    () => (window > 0 ? measured.report() : {}),
  );
}

async function consume({ queue, prefetch, ack, count }: Consumer) {
  const channel = await connection.createChannel();
  if (ack !== "auto") await channel.prefetch(prefetch);
  const seen = new Seen(count);
  let deliveries = 0;
  let first = 0;
  let last = 0;
  let newest: ConsumeMessage | undefined;
  const acknowledgeAll = () => {
    if (newest) channel.ack(newest, true);
    newest = undefined;
    last = now();
  };
  const onMessage = (message: ConsumeMessage | null) => {
    if (!message) throw new Error("The broker cancelled the consumer.");
    if (deliveries++ === warmUp) first = now();
    seen.add(message.content);
    if (ack === "grouped") {
      // Once for all that this turn brings.
      if (!newest) setImmediate(acknowledgeAll);
      newest = message;
      return;
    }
    if (ack === "each") channel.ack(message);
    last = now();
  };
  const { consumerTag } = await channel.consume(queue, onMessage, { noAck: ack === "auto" });
  say("ready");
  sayProgress(() => deliveries);
  await told();
  await channel.cancel(consumerTag);
  // Sends the acknowledgements first. What isn't acknowledged returns to the queue, where it is found.
  await channel.close();
  await connection.close();
  say("done", { count: deliveries, first, last, ...seen.report() });
  process.exit();
}

await { producer: produce, consumer: consume }[role as keyof Roles](options);
