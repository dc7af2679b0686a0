import type { ConfirmChannel } from "amqplib";
import { publisher, type Unconfirmed } from "./unconfirmed.ts";

/** In messages. */
const size = 100;

/** Waits once for a hundred answers: the way is as long, but a hundred messages go it together. */
export async function inBatches(channel: ConfirmChannel, unconfirmed: Unconfirmed): Promise<void> {
  const publish = publisher(channel, unconfirmed);
  const batch: Promise<void>[] = [];
  for (const message of unconfirmed) {
    batch.push(new Promise((answered) => publish(message, answered)));
    if (batch.length === size) await Promise.all(batch.splice(0));
  }
  await Promise.all(batch);
}
