import { consume, text, usage } from "shared";
import { declareOrders, unrouted } from "./topology.ts";

const { words, refuse } = usage("unrouted", "unrouted");
if (words.length > 0) refuse("unrouted takes no arguments.");

await consume(async (channel) => {
  await declareOrders(channel);
  await channel.prefetch(10);
  await channel.consume(unrouted, (delivery) => {
    // Still those that it was published with. Nothing says that it came by way of an alternate exchange.
    const { exchange, routingKey } = delivery.fields;
    console.log(` [x] ${text(exchange)} had no queue for ${text(routingKey)}: '${text(delivery.content)}'`);
    channel.ack(delivery);
  });
  console.log(" [*] Waiting for unrouted messages. To exit press CTRL+C");
});
