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
  // The quorum queue keeps any message. The morgue, a classic one, keeps only a persistent one over a restart.
  const options = { persistent: true, ...(ttl !== undefined && { expiration: ttl }) };
  channel.sendToQueue(queue, Buffer.from(order), options);
  console.log(` [x] Sent '${text(order)}'`);
});
