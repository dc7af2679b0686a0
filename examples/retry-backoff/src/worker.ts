import { canDie, consume, handle, integer, text, usage } from "shared";
import { attempts, declareJobs } from "./topology.ts";
import { work } from "./work.ts";

const { options, refuse } = usage("worker [--fail-times n] [--fail-on word]", "worker --fail-times 2", {
  "fail-times": { type: "string", default: "0" },
  "fail-on": { type: "string", default: "" },
});
const failTimes = integer(options["fail-times"]) ?? refuse("--fail-times takes a whole number.");

await consume(async (channel) => {
  await declareJobs(channel);
  // One job from each queue at a time. If the worker dies, that counts against these, and against no job that waits.
  await channel.prefetch(1);
  for (const { number, queue, wait } of attempts) {
    const attempt = handle(async (delivery) => {
      const job = text(delivery.content);
      if (!canDie(delivery.properties.headers)) {
        // Rejecting it would end all retries on a node of RabbitMQ 3.
        console.log(` [!] Dropped ${job}: its x-death is malformed`);
        return channel.ack(delivery);
      }
      console.log(` [x] Received ${job} (attempt ${number})`);
      try {
        await work(delivery.content, number, failTimes, options["fail-on"]);
      } catch (error) {
        // The broker moves the job on, with all that it holds. Nothing is published again.
        channel.reject(delivery, false);
        const next = wait === undefined ? "Parked" : `Again in ${wait} ms`;
        return console.log(` [x] Failed: ${job} (${(error as Error).message}). ${next}`);
      }
      channel.ack(delivery);
      console.log(` [x] Done: ${job}`);
    });
    await channel.consume(queue, attempt);
  }
  console.log(" [*] Waiting for jobs. To exit press CTRL+C");
});
