import { consume, handle, text, usage } from "shared";
import { declareOffers, queue } from "./topology.ts";

usage("sub", "sub");

await consume(async (channel) => {
  await declareOffers(channel);
  // An offer that a consumer holds doesn't expire any more, so we take one at a time.
  await channel.prefetch(1);
  const print = handle((delivery) => {
    console.log(` [x] Received ${text(delivery.content)}`);
    channel.ack(delivery);
  });
  await channel.consume(queue, print);
  console.log(" [*] Waiting for offers. To exit press CTRL+C");
});
