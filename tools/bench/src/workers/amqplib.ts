// The worker (see ../engine/worker.ts) on amqplib: one program with four roles.

import { once } from "node:events";
import { createRequire } from "node:module";
import type { ConsumeMessage } from "amqplib";
import type { AmqplibOptions, Caller, Consumer, Producer, Roles, Server } from "../engine/roles.ts";
import { numbered, Seen } from "../engine/seen.ts";
import { latencies, now, openCount, options, peaks, role, say, sayProgress, told } from "./events.ts";

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

  await publish(warmUp, () => {});
  say("ready");
  await told();
  sayProgress(() => published - warmUp);
  const { record, report } = latencies();
  const first = now();
  await publish(warmUp + count, record);
  const last = now();
  say("done", { count, first, last, ...(window > 0 && report()), ...peaks() });
  // It stays until it is ended: see `Producer`.
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

async function serve({ queue, prefetch }: Server) {
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  await channel.consume(queue, (request) => {
    if (!request) throw new Error("The broker cancelled the consumer.");
    const { replyTo, correlationId } = request.properties;
    channel.sendToQueue(replyTo, request.content, { correlationId });
    channel.ack(request);
  });
  say("ready");
}

async function call({ queue, count, size, inFlight, replies }: Caller) {
  const channel = await connection.createChannel();
  const replyTo =
    replies === "direct"
      ? "amq.rabbitmq.reply-to"
      : (await channel.assertQueue("", { exclusive: true })).queue;
  const body = Buffer.alloc(size, "x");
  /** When each unanswered call began, by its correlation id. */
  const open = new Map<string, number>();
  const unanswered = openCount();
  let record = (_ms: number) => {};
  let called = 0;
  const onReply = (reply: ConsumeMessage | null) => {
    if (!reply) throw new Error("The broker cancelled the consumer.");
    const { correlationId } = reply.properties;
    const began = open.get(correlationId);
    if (began === undefined) throw new Error(`An answer to no call: ${correlationId}`);
    open.delete(correlationId);
    record(performance.now() - began);
    unanswered.remove();
  };
  await channel.consume(replyTo, onReply, { noAck: true });

  async function callUntil(until: number) {
    while (called < until) {
      if (unanswered.size === inFlight) await unanswered.below(inFlight);
      unanswered.add();
      const correlationId = String(called++);
      open.set(correlationId, performance.now());
      channel.sendToQueue(queue, body, { replyTo, correlationId });
    }
    await unanswered.below(1);
  }

  await callUntil(warmUp);
  say("ready");
  await told();
  sayProgress(() => called - warmUp);
  const histogram = latencies();
  record = histogram.record;
  const first = now();
  await callUntil(warmUp + count);
  const last = now();
  await channel.close();
  await connection.close();
  say("done", { count, first, last, ...histogram.report() });
  process.exit();
}

await { producer: produce, consumer: consume, server: serve, caller: call }[role as keyof Roles](options);
