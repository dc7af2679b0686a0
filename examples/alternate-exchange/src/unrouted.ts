import { consume, handle, text, usage } from "shared";
import { declareOrders, unrouted } from "./topology.ts";

usage("unrouted", "unrouted");

await consume(async (channel) => {
  await declareOrders(channel);
  await channel.prefetch(10);
  const print = handle((delivery) => {
    // These are the exchange and the key that the message was published with. It doesn't name the alternate exchange.
    const { exchange, routingKey } = delivery.fields;
    console.log(` [x] ${text(exchange)} had no queue for ${text(routingKey)}: '${text(delivery.content)}'`);
    channel.ack(delivery);
  });
  await channel.consume(unrouted, print);
  console.log(" [*] Waiting for unrouted messages. To exit press CTRL+C");
});
