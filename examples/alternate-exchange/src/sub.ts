import { consume, handle, text, usage } from "shared";
import { declareOrders, declareQueue, exchanges } from "./topology.ts";

usage("sub", "sub");
const routingKey = "europe";
const queue = "orders_europe";

await consume(async (channel) => {
  await declareOrders(channel);
  await declareQueue(channel, queue);
  for (const exchange of Object.values(exchanges)) await channel.bindQueue(queue, exchange, routingKey);
  await channel.prefetch(10);
  const print = handle((delivery) => {
    console.log(` [x] ${text(delivery.fields.routingKey)}: '${text(delivery.content)}'`);
    channel.ack(delivery);
  });
  await channel.consume(queue, print);
  console.log(` [*] Waiting for orders from ${routingKey}. To exit press CTRL+C`);
});
