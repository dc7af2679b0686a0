import { randomUUID } from "node:crypto";
import { giveUp, integer, usage } from "shared";
import { publishAll } from "./publish-all.ts";

const { words, options, refuse } = usage("pub [--count N] [--rate N]", "pub --count 3000 --rate 500", {
  count: { type: "string", default: "500" },
  rate: { type: "string", default: "100" },
});
if (words.length > 0) refuse("pub takes no words.");
const count = integer(options.count, 1) ?? refuse("--count takes a whole number from 1 up.");
const rate = integer(options.rate, 1) ?? refuse("--rate takes a whole number of messages a second.");

try {
  const { repeated, longestPause } = await publishAll({ id: randomUUID(), count, rate });
  console.log(` [x] All ${count} messages confirmed, ${repeated} of them published more than once`);
  console.log(` [x] The longest time without a confirm was ${Math.round(longestPause)} ms`);
} catch (error) {
  giveUp(error);
}
