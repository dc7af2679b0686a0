import { once } from "node:events";
import type { ConfirmChannel } from "amqplib";
import { publisher, type Unconfirmed } from "./unconfirmed.ts";

/** Publishes on and on, and takes the answers as they come: many at a time, and not always in order. */
export async function asynchronously(channel: ConfirmChannel, unconfirmed: Unconfirmed): Promise<void> {
  const publish = publisher(channel, unconfirmed);
  let missing = unconfirmed.size;
  let answered = () => {};
  const allAnswered = new Promise<void>((resolve) => {
    answered = () => {
      if (--missing === 0) resolve();
    };
  });
  for (const message of unconfirmed) if (!publish(message, answered)) await once(channel, "drain");
  await allAnswered;
}
