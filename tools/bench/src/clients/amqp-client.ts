// A worker (see ../worker.ts) on @cloudamqp/amqp-client.

import { AMQPClient } from "@cloudamqp/amqp-client";
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
const client = new AMQPClient(process.env.AMQP_URL as string);
const connection = await client.connect();
// It has no option for it.
client.socket?.setNoDelay(true);
const channel = await connection.channel();
const close = async () => {
  await channel.close();
  await connection.close();
};

if (work.role === "publish") {
  const { queue, persistent, window } = work;
  if (window > 0) await channel.confirmSelect();
  const properties = { deliveryMode: persistent ? 2 : 1 };
  // A promise for each message: its confirm, or that it has been written.
  const pending = new Window(window || PENDING_WRITES);
  await measurePublishing(
    work,
    (body) => {
      pending.add(channel.basicPublish("", queue, body, properties));
      return pending.full ? pending.room() : undefined;
    },
    () => pending.empty(),
    close,
  );
} else {
  const { queue, messages, prefetch } = work;
  const noAck = prefetch === 0;
  if (!noAck) await channel.prefetch(prefetch);
  const { count, end } = measureConsuming(messages);
  await channel.basicConsume(queue, { noAck }, (message) => {
    if (!noAck) message.ack();
    const { buffer, byteOffset, length } = message.body as Uint8Array;
    count(Buffer.from(buffer, byteOffset, length));
  });
  await end(close);
}
