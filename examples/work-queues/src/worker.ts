import { setTimeout } from "node:timers/promises";
import { consume, text, usage } from "shared";
import { declareTasks, queue } from "./topology.ts";

const { words, refuse } = usage("worker", "worker");
if (words.length > 0) refuse("worker takes no arguments.");

await consume(async (channel) => {
  await declareTasks(channel);
  // One task at a time: the next one goes to a worker that is free, not into our backlog.
  await channel.prefetch(1);
  await channel.consume(queue, async (delivery) => {
    const task = text(delivery.content);
    // It was given out before, to a worker that may have finished it without living to say so.
    const again = delivery.fields.redelivered ? " (redelivered)" : "";
    console.log(` [x] Received ${task}${again}`);
    // Work, for the length of one second a dot.
    await setTimeout((task.split(".").length - 1) * 1000);
    console.log(" [x] Done");
    // Only now. Until then the broker keeps the task, and gives it to another should we die.
    channel.ack(delivery);
  });
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});
