import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words, refuse } = usage("pub [severity] [text...]", 'pub error "Disk full"');
const [severity = "info", ...rest] = words;
const message = rest.join(" ") || "Hello World!";
if (Buffer.byteLength(severity) > 255) refuse("A severity is a routing key, which has at most 255 bytes.");

await produce(async (channel) => {
  await declareLogs(channel);
  // The severity is the routing key. Queues that are bound with the very same word get a copy each.
  channel.publish(exchange, severity, Buffer.from(message));
  console.log(` [x] Sent ${text(severity)}: '${text(message)}'`);
});
