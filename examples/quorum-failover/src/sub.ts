import { consume, handle, usage } from "shared";
import { declareFailover, queue, url } from "./topology.ts";

usage("sub", "sub");

/** The ids of the messages that have been here, by the run of `pub` that they are from. */
const runs = new Map<string, Set<string>>();
let twice = 0;

await consume(
  async (channel) => {
    await declareFailover(channel);
    await channel.prefetch(250);
    const count = handle((delivery) => {
      const { content, properties } = delivery;
      const id = String(properties.messageId);
      const [run = ""] = id.split("/");
      const seen = runs.get(run) ?? new Set();
      runs.set(run, seen);
      // The first one had its effect. The second is acknowledged and nothing else.
      if (seen.has(id)) twice++;
      else if (seen.add(id).size === Number(/^Message \d+ of (\d+)$/.exec(content.toString())?.[1]))
        console.log(` [x] All ${seen.size} messages`);
      channel.ack(delivery);
    });
    await channel.consume(queue, count);
    console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
  },
  { url },
);
console.log(` [x] ${twice} came twice, known by their ids`);
