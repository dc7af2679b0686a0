import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words } = usage("pub [severity] [text...]", 'pub error "Disk full"');
const [severity = "info", ...rest] = words;
const message = rest.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareLogs(channel);
  // The severity is the routing key. Each queue that is bound with exactly this key gets a copy.
  channel.publish(exchange, severity, Buffer.from(message), { contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(severity)}: '${text(message)}'`);
});
