import { integer, produce, text, usage } from "shared";
import { declareOrders, queue } from "./topology.ts";

const { words, options, refuse } = usage("pub [--ttl ms] [text...]", 'pub --ttl 100 "Fresh bread"', {
  ttl: { type: "string" },
});
const order = words.join(" ") || "Hello World!";
const { ttl } = options;
if (ttl !== undefined && integer(ttl) === undefined) refuse("--ttl takes a whole number of ms.");

await produce(async (channel) => {
  await declareOrders(channel);
  const expiration = ttl === undefined ? {} : { expiration: ttl };
  channel.sendToQueue(queue, Buffer.from(order), { contentType: "text/plain", ...expiration });
  await channel.waitForConfirms();
  console.log(` [x] Sent '${text(order)}'`);
});
