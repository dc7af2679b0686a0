import { produce, text, usage } from "shared";
import { exchange } from "./topology.ts";

const { words, refuse } = usage("amqp-pub <routing key> [text...]", "amqp-pub plant.1.valve open");
const [routingKey = refuse("With which routing key?"), ...rest] = words;
if (Buffer.byteLength(routingKey) > 255) refuse("A routing key has at most 255 bytes.");
const message = rest.join(" ") || "Hello World!";

await produce((channel) => {
  channel.publish(exchange, routingKey, Buffer.from(message), { persistent: true });
});
// Said when it is confirmed: nothing was declared before that could have been refused.
console.log(` [x] Sent ${text(routingKey)}: '${text(message)}'`);
