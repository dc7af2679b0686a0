import { type ConsumerChannel, consume, produce, text, usage } from "shared";
import { replay } from "./replay.ts";
import { story } from "./story.ts";
import { declareOrders, morgue } from "./topology.ts";

const { words, options, refuse } = usage("morgue [--replay]", "morgue --replay", {
  replay: { type: "boolean" },
});
if (words.length > 0) refuse("morgue takes no arguments but --replay.");

async function show(channel: ConsumerChannel) {
  await declareOrders(channel);
  // Nothing is acknowledged: who only looks takes nothing away. When we go, all of it is back in its queue.
  await channel.consume(morgue, ({ content, properties }) =>
    console.log(` [x] ${text(content)}: ${story(properties.headers)}`),
  );
  console.log(" [*] Waiting for dead letters. To exit press CTRL+C");
}

await (options.replay ? produce(replay) : consume(show));
