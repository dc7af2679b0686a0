import { integer, produce, text, usage } from "shared";
import { declareOffers, longestTtl, queue } from "./topology.ts";

const { words, options, refuse } = usage("pub [--ttl ms] [text...]", 'pub --ttl 500 "Flash sale"', {
  ttl: { type: "string" },
});
const offer = words.join(" ") || "Hello World!";
const { ttl } = options;
if (ttl !== undefined && (integer(ttl) ?? Number.POSITIVE_INFINITY) > longestTtl)
  refuse(`--ttl takes a whole number of ms, ${longestTtl} at most.`);

await produce(async (channel) => {
  await declareOffers(channel);
  // The protocol sends the TTL as a string, though it is a number.
  const expiration = ttl === undefined ? {} : { expiration: ttl };
  channel.sendToQueue(queue, Buffer.from(offer), { contentType: "text/plain", ...expiration });
  await channel.waitForConfirms();
  console.log(` [x] Sent '${text(offer)}'${ttl === undefined ? "" : `, good for ${ttl} ms`}`);
});
