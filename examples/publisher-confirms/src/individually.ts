import type { ConfirmChannel } from "amqplib";
import { publish, type Unconfirmed } from "./unconfirmed.ts";

/** Waits for each answer before it publishes the next message: as slow as the way to the broker's disk and back. */
export async function individually(channel: ConfirmChannel, unconfirmed: Unconfirmed): Promise<void> {
  for (const message of unconfirmed)
    await new Promise<void>((answered) => publish(channel, unconfirmed, message, answered));
}
