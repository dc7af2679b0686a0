import { consume, handle, text, usage } from "shared";
import { declareConfirms, queue } from "./topology.ts";

usage("sub", "sub");

/** The messages of each run of `pub` that have been here, by their numbers. */
const runs = new Map<string, { name: string; count: number; seen: Set<string>; twice: number }>();

await consume(async (channel) => {
  await declareConfirms(channel);
  await channel.prefetch(250);
  const print = handle((delivery) => {
    const { messageId, type } = delivery.properties;
    const [run = "", number] = String(messageId).split("/");
    const [, count] = /^Message \d+ of (\d+)$/.exec(delivery.content.toString()) ?? [];
    if (number && count) {
      const progress = runs.get(run) ?? {
        name: text(String(type)),
        count: Number(count),
        seen: new Set(),
        twice: 0,
      };
      runs.set(run, progress);
      // At-least-once: a message whose confirm was lost comes a second time.
      if (progress.seen.has(number)) progress.twice++;
      else if (progress.seen.add(number).size === progress.count)
        console.log(` [x] All ${count} messages, published ${progress.name}`);
    } else console.error(` [!] Not a message of pub: ${text(delivery.content.subarray(0, 50))}`);
    channel.ack(delivery);
  });
  await channel.consume(queue, print);
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});

for (const { name, count, seen, twice } of runs.values()) {
  if (seen.size < count) console.log(` [!] ${seen.size} of ${count} messages, published ${name}`);
  if (twice > 0) console.log(` [!] ${twice} came twice, published ${name}`);
}
