// A worker (see ../worker.ts) on rabbitmq-client.

import { Connection } from "rabbitmq-client";
import { options } from "../work.ts";
import { Window } from "./window.ts";
import {
  type Consuming,
  measureConsuming,
  measurePublishing,
  PENDING_WRITES,
  type Publishing,
} from "./work.ts";

const work = options as Publishing | Consuming;
const connection = new Connection({ url: process.env.AMQP_URL as string, noDelay: true });
// A worker has nothing to recover for.
connection.on("error", (error) => {
  throw error;
});
await connection.onConnect();

if (work.role === "publish") {
  const { queue, persistent, window } = work;
  const publisher = connection.createPublisher({ confirm: window > 0 });
  // A promise for each message: its confirm, or that it has been written.
  const pending = new Window(window || PENDING_WRITES);
  await measurePublishing(
    work,
    (body) => {
      pending.add(publisher.send({ routingKey: queue, durable: persistent }, body));
      return pending.full ? pending.room() : undefined;
    },
    () => pending.empty(),
    async () => {
      await publisher.close();
      await connection.close();
    },
  );
} else {
  const { queue, messages, prefetch } = work;
  const noAck = prefetch === 0;
  const { count, end } = measureConsuming(messages);
  const consumer = connection.createConsumer(
    {
      queue,
      noAck,
      queueOptions: { passive: true },
      ...(!noAck && { qos: { prefetchCount: prefetch } }),
    },
    // It acknowledges when this returns, each by itself.
    ({ body }) => count(body),
  );
  consumer.on("error", (error) => {
    throw error;
  });
  await end(async () => {
    await consumer.close();
    await connection.close();
  });
}
