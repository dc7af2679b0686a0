// Consumes its queues with the shared helper, and acknowledges each message when it has told of it.
import { setTimeout as pause } from "node:timers/promises";
import { consume, text } from "shared";
import { declare, obey, tell } from "./program.ts";

const queues = process.argv.slice(2);
obey();

await consume(async (channel) => {
  await declare(channel, queues);
  await channel.prefetch(20);
  for (const queue of queues)
    await channel.consume(queue, async (delivery) => {
      tell("received", text(delivery.content));
      // Some work, up to 5 ms, so that there are always messages in hand.
      await pause(Math.random() * 5);
      channel.ack(delivery);
    });
  tell("ready");
});
