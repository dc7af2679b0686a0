import { consume, look, produce, replay, usage } from "shared";
import { story } from "./story.ts";
import { declareOrders, morgue, queue } from "./topology.ts";

const { options } = usage("morgue [--replay]", "morgue --replay", { replay: { type: "boolean" } });

if (options.replay)
  await produce(async (channel) => {
    await declareOrders(channel);
    await replay(channel, morgue, queue);
  });
else
  await consume(async (channel) => {
    await declareOrders(channel);
    await look(channel, morgue, story);
    console.log(" [*] Waiting for dead letters. To exit press CTRL+C");
  });
