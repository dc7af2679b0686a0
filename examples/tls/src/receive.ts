import { consume, handle, text, usage } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsOptions, tlsSynopsis, tlsUrl } from "./url.ts";

const { options, refuse } = usage(`receive ${tlsSynopsis}`, "receive", tlsOptions);
const url = tlsUrl(options, refuse);

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
