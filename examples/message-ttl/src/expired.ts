import { consume, text, usage } from "shared";
import { declareOffers, expired } from "./topology.ts";

const { words, refuse } = usage("expired", "expired");
if (words.length > 0) refuse("expired takes no arguments.");

await consume(async (channel) => {
  await declareOffers(channel);
  await channel.consume(expired, (delivery) => {
    console.log(` [x] Expired: ${text(delivery.content)}`);
    channel.ack(delivery);
  });
  console.log(" [*] Waiting for offers that expire. To exit press CTRL+C");
});
