// A worker (see ../worker.ts) that answers each request with its body, until it is told to stop.

import amqp from "amqplib";
import { options, say, told } from "../work.ts";

export interface Serving {
  queue: string;
  prefetch: number;
  noDelay: boolean;
}

const { queue, prefetch, noDelay } = options as Serving;
const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay });
const channel = await connection.createChannel();
await channel.prefetch(prefetch);
await channel.consume(queue, (request) => {
  if (!request) throw new Error("The broker cancelled the consumer.");
  const { replyTo, correlationId } = request.properties;
  channel.sendToQueue(replyTo, request.content, { correlationId });
  channel.ack(request);
});
say("ready");
await told();
await channel.close();
await connection.close();
say("done");
process.exit();
