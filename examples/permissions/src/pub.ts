import { produce, text, usage } from "shared";
import { login } from "./accounts.ts";
import { exchange } from "./topology.ts";

const { words, options, refuse } = usage(
  "pub [--as <user>] [routing key] [text...]",
  'pub disk.full "Disk full"',
  { as: { type: "string", default: "publisher" } },
);
const [routingKey = "disk.full", ...rest] = words;
const account = login(options.as, refuse);

await produce(async (channel) => {
  const message = rest.join(" ") || "Hello World!";
  // It doesn't declare the exchange. The right to declare it would include the right to delete it.
  channel.publish(exchange, routingKey, Buffer.from(message), { contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(routingKey)}: '${text(message)}'`);
}, account);
