// A worker (see ../worker.ts) that shares a queue with others, until it is told to stop.

import amqp, { type ConsumeMessage } from "amqplib";
import { Seen } from "../seen.ts";
import { now, options, say, sayProgress, told } from "../work.ts";
import type { AmqpConsumer } from "./profiles.ts";

const { queue, messages, prefetch, ack, noDelay } = options as AmqpConsumer;
const seen = new Seen(messages);
// When the last message was acknowledged, or had where none is
let last = 0;

const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay });
const channel = await connection.createChannel();
if (ack !== "auto") await channel.prefetch(prefetch);

let newest: ConsumeMessage | undefined;
function acknowledgeAll() {
  if (newest) channel.ack(newest, true);
  newest = undefined;
  last = now();
}

const { consumerTag } = await channel.consume(
  queue,
  (message) => {
    if (!message) throw new Error("The broker cancelled the consumer.");
    seen.add(message.content);
    if (ack === "grouped") {
      // Once for all that this turn brings
      if (!newest) setImmediate(acknowledgeAll);
      newest = message;
      return;
    }
    if (ack === "each") channel.ack(message);
    last = now();
  },
  { noAck: ack === "auto" },
);
say("ready");
sayProgress(() => seen.count);

await told();
await channel.cancel(consumerTag);
// Sends the acknowledgements first. What isn't acknowledged goes back to the queue, where it is found.
await channel.close();
await connection.close();
say("done", { count: seen.count, last, ...seen.report() });
process.exit();
