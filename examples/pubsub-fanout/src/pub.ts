import { produce, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words } = usage("pub [text...]", 'pub "Hello everybody"');
const message = words.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareLogs(channel);
  // No routing key: a fanout exchange doesn't look at it.
  channel.publish(exchange, "", Buffer.from(message));
  console.log(` [x] Sent ${text(message)}`);
});
