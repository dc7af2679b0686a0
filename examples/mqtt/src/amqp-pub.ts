import { produce, text, usage } from "shared";
import { exchange } from "./topology.ts";

const { words } = usage("amqp-pub <routing key> [text...]", "amqp-pub plant.1.valve open");
const [routingKey = "", ...rest] = words;
const message = rest.join(" ") || "Hello World!";

await produce(async (channel) => {
  const properties = { persistent: true, contentType: "text/plain" };
  channel.publish(exchange, routingKey, Buffer.from(message), properties);
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(routingKey)}: '${text(message)}'`);
});
