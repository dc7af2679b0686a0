import { setTimeout } from "node:timers/promises";
import type { ConsumeMessage } from "amqplib";
import { firstSignal, giveUp, integer, openConsumer, text, usage } from "shared";
import { declareEvents, queue } from "./topology.ts";

const { words, options, refuse } = usage("worker [--takes ms]", "worker --takes 2000", {
  takes: { type: "string", default: "0" },
});
if (words.length > 0) refuse("worker takes no arguments but --takes.");
const takes = integer(options.takes) ?? refuse("--takes takes a whole number of ms.");

let inHand = Promise.resolve();
let leaving = false;

async function work(delivery: ConsumeMessage): Promise<void> {
  const event = text(delivery.content);
  const again = delivery.fields.redelivered ? " (redelivered)" : "";
  console.log(` [x] Doing ${event}${again}`);
  await setTimeout(takes);
  console.log(` [x] Done ${event}`);
}

try {
  const signalled = firstSignal();
  const consumer = await openConsumer(async (channel) => {
    await declareEvents(channel);
    // One event at a time, so that the next one isn't begun before this one is done.
    await channel.prefetch(1);
    await channel.consume(queue, async (delivery) => {
      if (leaving) return;
      // Nor while we still do what an earlier connection has brought, and can't acknowledge any more.
      inHand = inHand.then(() => work(delivery));
      await inHand;
      channel.ack(delivery);
    });
    console.log(" [*] Standing by for events. To exit press CTRL+C");
  });
  await Promise.race([signalled, Promise.all([consumer.ready, consumer.refused])]);
  leaving = true;
  if (consumer.inHand() > 0) console.error(" [!] Finishing what is in hand. To drop it press CTRL+C again");
  await inHand;
  // Not cancelled first: the next worker would begin the next event while we finish ours.
  await consumer.close();
} catch (error) {
  giveUp(error);
}
