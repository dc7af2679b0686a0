import { integer, produce, text, usage } from "shared";
import { declareOffers, queue } from "./topology.ts";

const { words, options, refuse } = usage("pub [--ttl ms] [text...]", 'pub --ttl 500 "Flash sale"', {
  ttl: { type: "string" },
});
const offer = words.join(" ") || "Hello World!";
/** ms: ten years, the broker's limit. */
const longest = 315_360_000_000;
const { ttl } = options;
if (ttl !== undefined && (integer(ttl) ?? Number.POSITIVE_INFINITY) > longest)
  refuse(`--ttl takes a whole number of ms, ${longest} at most.`);

await produce(async (channel) => {
  await declareOffers(channel);
  // amqplib's name for it is the protocol's: a text, though it is a number.
  channel.sendToQueue(queue, Buffer.from(offer), ttl === undefined ? {} : { expiration: ttl });
  console.log(` [x] Sent '${text(offer)}'${ttl === undefined ? "" : `, good for ${ttl} ms`}`);
});
