import { produce, text, usage } from "shared";
import { declareOrders, exchanges } from "./topology.ts";

const { words, options } = usage(
  "pub [--mandatory] [--alternate] <routing key> [text...]",
  "pub --alternate atlantis",
  { mandatory: { type: "boolean", default: false }, alternate: { type: "boolean", default: false } },
);
const [routingKey = "", ...rest] = words;
const order = rest.join(" ") || "An order";

await produce(async (channel) => {
  await declareOrders(channel);
  // Only a mandatory message is ever returned. The broker returns it first, and then confirms it.
  channel.on("return", ({ fields, content }) => {
    console.error(` [!] Returned ${text(fields.routingKey)}: '${text(content)}'`);
    process.exitCode = 1;
  });
  const exchange = options.alternate ? exchanges.guarded : exchanges.plain;
  channel.publish(exchange, routingKey, Buffer.from(order), {
    mandatory: options.mandatory,
    persistent: true,
    contentType: "text/plain",
  });
  await channel.waitForConfirms();
  // A confirm means that the broker has done all that it has to do. Without a matching binding, that is nothing.
  console.log(` [x] Confirmed ${text(routingKey)}: '${text(order)}'`);
});
