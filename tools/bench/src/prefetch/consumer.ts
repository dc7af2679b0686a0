// A worker (see ../worker.ts) that consumes what a queue has, and measures from the end of a warm-up to the last.

import amqp, { type ConsumeMessage } from "amqplib";
import { now, options, say, sayProgress } from "../work.ts";

export interface Consuming {
  queue: string;
  /** How many are measured. */
  messages: number;
  /** How many go before them, since V8 compiles what has run for a while. */
  warmUp: number;
  prefetch: number;
  /** Each by itself, or once for all that a turn of the event loop has brought. */
  ack: "each" | "grouped";
}

const { queue, messages, warmUp, prefetch, ack } = options as Consuming;
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay: true });
const channel = await connection.createChannel();
await channel.prefetch(prefetch);

let count = 0;
let first = 0;
let newest: ConsumeMessage | undefined;
let resolve: () => void;
const complete = new Promise<void>((settle) => {
  resolve = settle;
});
function acknowledgeAll() {
  if (newest) channel.ack(newest, true);
  newest = undefined;
  if (count === warmUp + messages) resolve();
}

await channel.consume(queue, (message) => {
  if (!message) throw new Error("The broker cancelled the consumer.");
  if (count++ === warmUp) first = now();
  if (ack === "grouped") {
    if (!newest) setImmediate(acknowledgeAll);
    newest = message;
    return;
  }
  channel.ack(message);
  if (count === warmUp + messages) resolve();
});
say("ready");
sayProgress(() => count);
await complete;
// Answered when the broker has taken the acknowledgements before it.
await channel.close();
const last = now();
await connection.close();
say("done", { count: messages, first, last });
process.exit();
