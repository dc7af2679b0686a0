import { setTimeout } from "node:timers/promises";
import { consume, handle, text, usage } from "shared";
import { declareTasks, queue } from "./topology.ts";

usage("worker", "worker");

await consume(async (channel) => {
  await declareTasks(channel);
  // One task at a time: the next one goes to a worker that is free, and does not wait here.
  await channel.prefetch(1);
  const work = handle(async (delivery) => {
    const task = text(delivery.content);
    // It was delivered before, to a worker that may have finished it but could not acknowledge it.
    const again = delivery.fields.redelivered ? " (redelivered)" : "";
    console.log(` [x] Received ${task}${again}`);
    // The work takes a second for each dot. A message from elsewhere must not hold the worker for long, hence the limit.
    const dots = Math.min(task.split(".").length - 1, 10);
    await setTimeout(dots * 1000);
    console.log(" [x] Done");
    // Only now. Until then the broker keeps the task, and gives it to another worker if this one dies.
    channel.ack(delivery);
  });
  await channel.consume(queue, work);
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});
