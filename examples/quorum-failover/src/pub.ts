import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { giveUp, integer, log, openPublisher, usage } from "shared";
import { declareFailover, queue, url } from "./topology.ts";

const { options, refuse } = usage("pub [--count N] [--rate N]", "pub --count 3000 --rate 500", {
  count: { type: "string", default: "500" },
  rate: { type: "string", default: "100" },
});
const count = integer(options.count, 1) ?? refuse("--count takes a whole number from 1 up.");
const rate = integer(options.rate, 1) ?? refuse("--rate takes a whole number of messages a second.");

// What the broker refuses is published again on a new channel, and so is what it does not confirm within 2 s.
const publisher = openPublisher({ url, declare: declareFailover, onRefusal: "retry", silence: 2_000, log });
await publisher.ready.catch(giveUp);

const run = randomUUID();
const began = performance.now();
let [confirmedAt, longest] = [began, 0];
const confirmed = () => {
  longest = Math.max(longest, performance.now() - confirmedAt);
  confirmedAt = performance.now();
};
const confirms: Promise<void>[] = [];
for (let number = 1; number <= count; number++) {
  await publisher.room();
  // A message that is published twice has the same id twice.
  const options = { messageId: `${run}/${number}`, contentType: "text/plain" };
  const content = Buffer.from(`Message ${number} of ${count}`);
  confirms.push(publisher.publish("", queue, content, options).then(confirmed, giveUp));
  const early = began + (number * 1000) / rate - performance.now();
  if (early > 0) await pause(early);
}
await Promise.all(confirms);
await publisher.close();
console.log(` [x] All ${count} messages confirmed, ${publisher.repeated} of them published more than once`);
console.log(` [x] The longest time without a confirm was ${Math.round(longest)} ms`);
