import { setTimeout } from "node:timers/promises";
import { consume, handle, text, usage } from "shared";
import { declareTasks, queue } from "./topology.ts";

usage("worker", "worker");

await consume(async (channel) => {
  await declareTasks(channel);
  // One task at a time. The next one goes to a worker that is free.
  await channel.prefetch(1);
  const work = handle(async (delivery) => {
    const task = text(delivery.content);
    // It was delivered before, to a worker that did not acknowledge it. That worker may have done the work.
    const again = delivery.fields.redelivered ? " (redelivered)" : "";
    console.log(` [x] Received ${task}${again}`);
    // The work takes a second for each dot. Without a limit, one message could block the worker for hours.
    const dots = Math.min(task.split(".").length - 1, 10);
    await setTimeout(dots * 1000);
    console.log(" [x] Done");
    // Until now the broker has kept the task. It would have given it to another worker if this one had died.
    channel.ack(delivery);
  });
  await channel.consume(queue, work);
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});
