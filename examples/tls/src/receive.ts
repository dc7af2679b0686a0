import { consume, handle, text } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsUsage } from "./url.ts";

const { url } = tlsUsage("receive", "receive");

await consume(
  async (channel) => {
    await declareSecure(channel);
    await channel.prefetch(100);
    const print = handle((delivery) => {
      const { content, properties } = delivery;
      const sender = properties.userId === undefined ? "" : ` from ${text(properties.userId)}`;
      console.log(` [x] Received ${text(content)}${sender}`);
      channel.ack(delivery);
    });
    await channel.consume(queue, print);
    console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
  },
  { url },
);
