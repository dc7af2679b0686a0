import { produce, text, usage } from "shared";
import { declareOrders, exchanges } from "./topology.ts";

const { words, options, refuse } = usage(
  "pub [--mandatory] [--alternate] <key> [text...]",
  "pub --alternate atlantis",
  { mandatory: { type: "boolean", default: false }, alternate: { type: "boolean", default: false } },
);
const [key = refuse("Where does the order go? Give a routing key."), ...rest] = words;
if (Buffer.byteLength(key) > 255) refuse("A routing key has at most 255 bytes.");
const order = rest.join(" ") || "An order";
const exchange = options.alternate ? exchanges.guarded : exchanges.plain;

await produce(async (channel) => {
  await declareOrders(channel);
  // Only what was published as mandatory is ever returned, and that happens before the broker confirms it.
  channel.on("return", ({ fields, content }) => {
    console.error(` [!] Returned ${text(fields.routingKey)}: '${text(content)}'`);
    process.exitCode = 1;
  });
  channel.publish(exchange, key, Buffer.from(order), { mandatory: options.mandatory, persistent: true });
  console.log(` [x] Sent ${text(key)}: '${text(order)}'`);
  await channel.waitForConfirms();
  // That says: the broker has done all it has to. With a message that matches no binding, this is nothing.
  console.log(" [x] Confirmed");
});
