import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words, refuse } = usage("pub [routing key] [text...]", 'pub kern.critical "A critical kernel error"');
const [routingKey = "anonymous.info", ...rest] = words;
if (Buffer.byteLength(routingKey) > 255) refuse("A routing key has at most 255 bytes.");
const message = rest.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareLogs(channel);
  channel.publish(exchange, routingKey, Buffer.from(message));
  console.log(` [x] Sent ${text(routingKey)}: '${text(message)}'`);
});
