import { consume, text, usage } from "shared";
import { declareOffers, queue } from "./topology.ts";

const { words, refuse } = usage("sub", "sub");
if (words.length > 0) refuse("sub takes no arguments.");

await consume(async (channel) => {
  await declareOffers(channel);
  // What waits in our hands no longer expires, so we take one offer at a time.
  await channel.prefetch(1);
  await channel.consume(queue, (delivery) => {
    console.log(` [x] Received ${text(delivery.content)}`);
    channel.ack(delivery);
  });
  console.log(` [*] Waiting for offers. To exit press CTRL+C`);
});
