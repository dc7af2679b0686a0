// A worker (see ../worker.ts) on amqplib.

import { once } from "node:events";
import amqp from "amqplib";
import { options } from "../work.ts";
import { type Consuming, measureConsuming, measurePublishing, type Publishing } from "./work.ts";

const work = options as Publishing | Consuming;
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay: true });

if (work.role === "publish") {
  const { queue, persistent, window } = work;
  const channel = await (window > 0 ? connection.createConfirmChannel() : connection.createChannel());
  let unconfirmed = 0;
  let onConfirm = () => {};
  const confirmed = (error: unknown) => {
    if (error) throw error;
    unconfirmed--;
    onConfirm();
  };
  const room = () =>
    new Promise<void>((resolve) => {
      onConfirm = resolve;
    });
  await measurePublishing(
    work,
    (body) => {
      // A channel without confirms leaves the callback alone.
      const written = channel.sendToQueue(queue, body, { persistent }, confirmed);
      if (window > 0 && ++unconfirmed === window) return room();
      return written ? undefined : once(channel, "drain");
    },
    async () => {
      if ("waitForConfirms" in channel) await channel.waitForConfirms();
    },
    async () => {
      await channel.close();
      await connection.close();
    },
  );
} else {
  const { queue, messages, prefetch } = work;
  const noAck = prefetch === 0;
  const channel = await connection.createChannel();
  if (!noAck) await channel.prefetch(prefetch);
  const { count, end } = measureConsuming(messages);
  await channel.consume(
    queue,
    (message) => {
      if (!message) throw new Error("The broker cancelled the consumer.");
      if (!noAck) channel.ack(message);
      count(message.content);
    },
    { noAck },
  );
  await end(async () => {
    await channel.close();
    await connection.close();
  });
}
