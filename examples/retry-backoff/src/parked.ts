import { consume, deathsOf, look, produce, replay, usage } from "shared";
import { story } from "./story.ts";
import { attempts, declareJobs, parked } from "./topology.ts";

const { options } = usage("parked [--replay]", "parked --replay", { replay: { type: "boolean" } });

if (options.replay)
  await produce(async (channel) => {
    await declareJobs(channel);
    // RabbitMQ 3 takes it for an endless circle when a job dies in the same queues again, and drops the job, unless a
    // consumer has rejected it there.
    const dropsCircles = channel.connection.serverProperties.version?.startsWith("3.");
    await replay(channel, parked, attempts[3].queue, (headers) =>
      dropsCircles && !deathsOf(headers).some(({ reason }) => reason === "rejected")
        ? "all of its workers died, so RabbitMQ 3 might drop it"
        : undefined,
    );
  });
else
  await consume(async (channel) => {
    await declareJobs(channel);
    await look(channel, parked, story);
    console.log(" [*] Waiting for jobs that are parked. To exit press CTRL+C");
  });
