import { randomUUID } from "node:crypto";
import { giveUp, integer, log, openPublisher, text, usage } from "shared";
import { strategies } from "./strategies.ts";
import { declareConfirms, queue } from "./topology.ts";

const { words, options, refuse } = usage("pub [individual|batch|async]... [--count N]", "pub batch async", {
  count: { type: "string", default: "5000" },
});
const count = integer(options.count, 1) ?? refuse("--count takes a whole number from 1 up.");
const chosen = (words.length > 0 ? words : [...strategies.keys()]).map(
  (word) => strategies.get(word) ?? refuse(`There is no strategy "${text(word)}".`),
);
// What is refused, or unconfirmed when the connection is lost, is published again.
const publisher = openPublisher({ declare: declareConfirms, onRefusal: "retry", log });
await publisher.ready.catch(giveUp);

for (const [name, strategy] of chosen) {
  const run = randomUUID();
  const publish = (number: number) => {
    const options = {
      // A message that is published twice has the same id twice, so that a consumer can skip it.
      messageId: `${run}/${number}`,
      type: name,
      contentType: "text/plain",
      // Without a queue for it the broker returns the message. Otherwise it would drop it and confirm that.
      mandatory: true,
    };
    return publisher.publish("", queue, Buffer.from(`Message ${number} of ${count}`), options).catch(giveUp);
  };
  const began = performance.now();
  await strategy(publish, count, () => publisher.room());
  const ms = performance.now() - began;
  const rate = Math.round((count / ms) * 1000);
  console.log(` [x] Published ${count} messages ${name} in ${Math.round(ms)} ms (${rate} msg/s)`);
}
await publisher.close();
