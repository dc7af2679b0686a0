// Consumes its queues, and acknowledges each message when it has told of it. It can't handle those of the queue "poison".
import { setTimeout as pause } from "node:timers/promises";
import { consume, handle, text } from "shared";
import { declare, obey, tell } from "./program.ts";

const queues = process.argv.slice(2);
obey();

await consume(async (channel) => {
  await declare(channel, queues);
  // What is in hand beside a message that ends the connection counts as tried once more, and might be set aside with it.
  await channel.prefetch(1);
  const fail = () => Promise.reject(new Error("a poison message"));
  await channel.consume("poison", handle(fail, { pause: 50 }));
  await channel.prefetch(20);
  for (const queue of queues)
    await channel.consume(
      queue,
      handle(async (delivery) => {
        tell("received", text(delivery.content));
        // Some work, up to 5 ms, so that there are always messages in hand.
        await pause(Math.random() * 5);
        channel.ack(delivery);
      }),
    );
  tell("ready");
});
