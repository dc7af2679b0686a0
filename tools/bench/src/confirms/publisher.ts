// A worker (see ../worker.ts) that publishes, and measures how long each confirm takes.

import { once } from "node:events";
import amqp from "amqplib";
import { latencies } from "../latency.ts";
import { now, options, say, sayProgress, told } from "../work.ts";

export interface Publishing {
  queue: string;
  /** How many are measured. */
  messages: number;
  /** How many go before them, since V8 compiles what has run for a while. */
  warmUp: number;
  /** Of a body, in bytes. */
  size: number;
  /** How many may be unconfirmed. */
  unconfirmed: number;
  /** When there are as many, whether to wait for all of them, or for one. */
  waitForAll: boolean;
}

const { queue, messages, warmUp, size, unconfirmed: most, waitForAll } = options as Publishing;
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay: true });
const channel = await connection.createConfirmChannel();
const body = Buffer.alloc(size, "x");
let confirmed = 0;

async function publish(count: number, record: (ms: number) => void): Promise<void> {
  let unconfirmed = 0;
  let onConfirm = () => {};
  const fewerThan = (limit: number) =>
    new Promise<void>((resolve) => {
      onConfirm = () => {
        if (unconfirmed < limit) resolve();
      };
      onConfirm();
    });
  for (let published = 0; published < count; published++) {
    if (unconfirmed === most) await fewerThan(waitForAll ? 1 : most);
    unconfirmed++;
    const began = performance.now();
    const written = channel.sendToQueue(queue, body, { persistent: true }, (refusal) => {
      if (refusal) throw refusal;
      record(performance.now() - began);
      unconfirmed--;
      confirmed++;
      onConfirm();
    });
    if (!written) await once(channel, "drain");
  }
  await fewerThan(1);
}

await publish(warmUp, () => {});
confirmed = 0;
say("ready");
await told();
sayProgress(() => confirmed);
const { record, report } = latencies();
const first = now();
await publish(messages, record);
const last = now();
await channel.close();
await connection.close();
say("done", { count: messages, first, last, ...report() });
process.exit();
