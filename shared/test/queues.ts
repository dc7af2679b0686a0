import { type Channel, connect } from "amqplib";
import { expect } from "vitest";
import { declareWork } from "./programs/queue.ts";

/** Puts messages into the queue of worker.ts. */
export async function send(channel: Channel, ...bodies: string[]): Promise<void> {
  await declareWork(channel);
  for (const body of bodies) channel.sendToQueue("work", Buffer.from(body), { persistent: true });
}

/** The same on a broker of its own. */
export async function sendTo(amqpUrl: string, ...bodies: string[]): Promise<void> {
  const connection = await connect(amqpUrl);
  const channel = await connection.createConfirmChannel();
  await send(channel, ...bodies);
  await channel.waitForConfirms();
  await connection.close();
}

/** The messages that nobody has taken. */
export const waiting = async (channel: Channel) => (await channel.checkQueue("work")).messageCount;

/**
 * Waits until worker.ts has cancelled its consumers. It cancels that of `forgotten` last; a quorum queue such as `work`
 * counts a cancelled one until what it had in hand is settled.
 */
export const cancelled = (channel: Channel) =>
  expect
    .poll(async () => (await channel.checkQueue("forgotten")).consumerCount, {
      timeout: 15_000,
      interval: 20,
    })
    .toBe(0);
