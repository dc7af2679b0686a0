import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words } = usage("pub [text...]", 'pub "Hello everyone"');
const message = words.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareLogs(channel);
  // The routing key is empty, because a fanout exchange ignores it.
  channel.publish(exchange, "", Buffer.from(message), { contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(message)}`);
});
