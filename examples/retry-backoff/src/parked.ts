import { consume, look, produce, replay, usage } from "shared";
import { story } from "./story.ts";
import { attempts, declareJobs, parked } from "./topology.ts";

const { options } = usage("parked [--replay]", "parked --replay", { replay: { type: "boolean" } });

if (options.replay)
  await produce(async (channel) => {
    await declareJobs(channel);
    await replay(channel, parked, attempts[3].queue);
  });
else
  await consume(async (channel) => {
    await declareJobs(channel);
    await look(channel, parked, story);
    console.log(" [*] Waiting for jobs that are parked. To exit press CTRL+C");
  });
