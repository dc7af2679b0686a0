import { consume, text, usage } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsOptions, tlsSynopsis, tlsUrl } from "./url.ts";

const { words, options, refuse } = usage(`receive ${tlsSynopsis}`, "receive", tlsOptions);
if (words.length > 0) refuse("receive takes options only.");

await consume(
  async (channel) => {
    await declareSecure(channel);
    await channel.consume(queue, (delivery) => {
      const { content, properties } = delivery;
      const sender = properties.userId === undefined ? "" : ` from ${text(properties.userId)}`;
      console.log(` [x] Received ${text(content)}${sender}`);
      channel.ack(delivery);
    });
    console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
  },
  { url: tlsUrl(options, refuse) },
);
