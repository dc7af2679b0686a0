import { consume, text, usage } from "shared";
import { declareOrders, declareQueue, exchanges } from "./topology.ts";

const { words, refuse } = usage("sub", "sub");
if (words.length > 0) refuse("sub takes no arguments.");
const key = "europe";
const queue = "orders_europe";

await consume(async (channel) => {
  await declareOrders(channel);
  await declareQueue(channel, queue);
  for (const exchange of Object.values(exchanges)) await channel.bindQueue(queue, exchange, key);
  await channel.prefetch(10);
  await channel.consume(queue, (delivery) => {
    console.log(` [x] ${text(delivery.fields.routingKey)}: '${text(delivery.content)}'`);
    channel.ack(delivery);
  });
  console.log(` [*] Waiting for orders from ${key}. To exit press CTRL+C`);
});
