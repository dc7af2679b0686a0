import type { ConfirmChannel } from "amqplib";
import { publisher, type Unconfirmed } from "./unconfirmed.ts";

/** Waits for each answer before it publishes the next message: as slow as the way to the broker's disk and back. */
export async function individually(channel: ConfirmChannel, unconfirmed: Unconfirmed): Promise<void> {
  const publish = publisher(channel, unconfirmed);
  for (const message of unconfirmed) await new Promise<void>((answered) => publish(message, answered));
}
