import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words } = usage("pub [routing key] [text...]", 'pub kern.critical "A critical kernel error"');
const [routingKey = "anonymous.info", ...rest] = words;
const message = rest.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareLogs(channel);
  channel.publish(exchange, routingKey, Buffer.from(message), { contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(routingKey)}: '${text(message)}'`);
});
