import { consume, handle, text, usage } from "shared";
import { declareOffers, expired } from "./topology.ts";

usage("expired", "expired");

await consume(async (channel) => {
  await declareOffers(channel);
  await channel.prefetch(100);
  const print = handle((delivery) => {
    console.log(` [x] Expired: ${text(delivery.content)}`);
    channel.ack(delivery);
  });
  await channel.consume(expired, print);
  console.log(" [*] Waiting for offers that expire. To exit press CTRL+C");
});
