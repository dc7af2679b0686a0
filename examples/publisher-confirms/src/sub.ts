import { consume, text, usage } from "shared";
import { readMessage } from "./messages.ts";
import { declareConfirms, queue } from "./topology.ts";

const { words, refuse } = usage("sub", "sub");
if (words.length > 0) refuse("sub takes no arguments.");

/** The messages of each run that have been here, by their numbers. */
const runs = new Map<string, { name: string; count: number; seen: Set<string>; twice: number }>();

await consume(async (channel) => {
  await declareConfirms(channel);
  await channel.prefetch(250);
  await channel.consume(queue, (delivery) => {
    const message = readMessage(delivery);
    if (message) {
      const { run, number, count, strategy } = message;
      const progress = runs.get(run) ?? { name: text(strategy), count, seen: new Set(), twice: 0 };
      runs.set(run, progress);
      if (progress.seen.has(number)) progress.twice++;
      else if (progress.seen.add(number).size === count)
        console.log(` [x] All ${count} messages, published ${progress.name}`);
    } else console.error(` [!] A message of somebody else's: ${text(delivery.content.subarray(0, 50))}`);
    channel.ack(delivery);
  });
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});

for (const { name, count, seen, twice } of runs.values()) {
  if (seen.size < count) console.log(` [!] ${seen.size} of ${count} messages, published ${name}`);
  if (twice > 0) console.log(` [!] ${twice} came twice, published ${name}`);
}
