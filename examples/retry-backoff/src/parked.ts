import { type ConsumerChannel, consume, produce, text, usage } from "shared";
import { replay } from "./replay.ts";
import { story } from "./story.ts";
import { declareJobs, parked } from "./topology.ts";

const { words, options, refuse } = usage("parked [--replay]", "parked --replay", {
  replay: { type: "boolean" },
});
if (words.length > 0) refuse("parked takes no arguments but --replay.");

async function show(channel: ConsumerChannel) {
  await declareJobs(channel);
  // Nothing is acknowledged: who only looks takes nothing away. When we go, all of it is back in its queue.
  await channel.consume(parked, ({ content, properties }) =>
    console.log(` [x] ${text(content)}: ${story(properties.headers)}`),
  );
  console.log(" [*] Waiting for jobs that are parked. To exit press CTRL+C");
}

await (options.replay ? produce(replay) : consume(show));
