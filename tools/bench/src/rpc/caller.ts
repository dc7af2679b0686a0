// A worker (see ../worker.ts) that calls, and measures how long each answer takes.

import amqp from "amqplib";
import { latencies } from "../latency.ts";
import { now, options, say, sayProgress, told } from "../work.ts";

export interface Calling {
  queue: string;
  /** How many are measured. */
  calls: number;
  /** How many go before them, since V8 compiles what has run for a while. */
  warmUp: number;
  /** Of a request and its reply, in bytes. */
  size: number;
  /** How many may be unanswered. */
  inFlight: number;
  /** Where replies go: RabbitMQ's direct reply-to, or an exclusive queue of this process. */
  replies: "direct" | "exclusive";
  noDelay: boolean;
}

const { queue, calls, warmUp, size, inFlight, replies, noDelay } = options as Calling;
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay });
const channel = await connection.createChannel();
const replyTo =
  replies === "direct" ? "amq.rabbitmq.reply-to" : (await channel.assertQueue("", { exclusive: true })).queue;
const body = Buffer.alloc(size, "x");
/** When each unanswered call began, by its correlation id. */
const open = new Map<string, number>();
let answered = 0;
let onAnswer = (_ms: number) => {};

await channel.consume(
  replyTo,
  (reply) => {
    if (!reply) throw new Error("The broker cancelled the consumer.");
    const { correlationId } = reply.properties;
    const began = open.get(correlationId);
    if (began === undefined) throw new Error(`An answer to no call: ${correlationId}`);
    open.delete(correlationId);
    onAnswer(performance.now() - began);
  },
  { noAck: true },
);

/** Calls again with each answer, so that as many as may be are unanswered until the last. */
function call(count: number, record: (ms: number) => void): Promise<void> {
  answered = 0;
  let called = 0;
  const next = () => {
    const correlationId = String(called++);
    open.set(correlationId, performance.now());
    channel.sendToQueue(queue, body, { replyTo, correlationId });
  };
  return new Promise((resolve) => {
    onAnswer = (ms) => {
      record(ms);
      if (++answered === count) resolve();
      else if (called < count) next();
    };
    while (called < Math.min(inFlight, count)) next();
  });
}

await call(warmUp, () => {});
say("ready");
await told();
sayProgress(() => answered);
const { record, report } = latencies();
const first = now();
await call(calls, record);
const last = now();
await channel.close();
await connection.close();
say("done", { count: calls, first, last, ...report() });
process.exit();
