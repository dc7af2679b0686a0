import { consume, integer, text, usage } from "shared";
import { move, openForMoves } from "./move.ts";
import { attemptsOf } from "./story.ts";
import { declareDelays, declareJobs, longest, parked, queue } from "./topology.ts";
import { work } from "./work.ts";

const { words, options, refuse } = usage("worker [--fail-times n] [--fail-on word] [--unit ms]", "worker", {
  "fail-times": { type: "string", default: "0" },
  "fail-on": { type: "string", default: "" },
  unit: { type: "string", default: "1000" },
});
if (words.length > 0) refuse("worker takes no arguments but its options.");
const failTimes = integer(options["fail-times"]) ?? refuse("--fail-times takes a whole number.");
const unit = integer(options.unit, 1) ?? Number.POSITIVE_INFINITY;
if (unit > longest) refuse(`--unit takes a whole number of ms, from 1 to ${longest}.`);

await consume(async (channel, connection) => {
  await declareJobs(channel);
  const delays = await declareDelays(channel, unit);
  const confirms = await openForMoves(connection);
  // One at a time: if we die, that counts against the job in hand (x-delivery-limit), and against no other.
  await channel.prefetch(1);
  await channel.consume(queue, async (job) => {
    const attempts = attemptsOf(job.properties.headers) + 1;
    console.log(` [x] Received ${text(job.content)} (attempt ${attempts})`);
    try {
      await work(job.content, attempts, unit, { failTimes, failOn: options["fail-on"] });
      console.log(" [x] Done");
    } catch (error) {
      const failure = (error as Error).message;
      const delay = delays[attempts - 1];
      const moved = await move(confirms, job, delay?.queue ?? parked, { attempts, failure });
      console.log(` [x] Failed (${failure}). ${moved && delay ? `Again in ${delay.ms} ms` : "Parked"}`);
      if (!moved) return channel.reject(job, false);
    }
    // Only now that the copy is confirmed. If we die before, there are two jobs, never none.
    channel.ack(job);
  });
  console.log(" [*] Waiting for jobs. To exit press CTRL+C");
});
