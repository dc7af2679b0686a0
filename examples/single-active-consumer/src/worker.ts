import { setTimeout } from "node:timers/promises";
import { consume, handle, integer, text, usage } from "shared";
import { declareEvents, queue } from "./topology.ts";

const { options, refuse } = usage("worker [--takes ms]", "worker --takes 2000", {
  takes: { type: "string", default: "0" },
});
const takes = integer(options.takes) ?? refuse("--takes takes a whole number of ms.");

// The next worker becomes active as soon as this one is cancelled, though it still has an event in hand. So it keeps its
// place until that is done, and then closes its channel.
await consume(
  async (channel) => {
    await declareEvents(channel);
    // One event at a time, so that the next one doesn't begin before this one is done.
    await channel.prefetch(1);
    const work = handle(async (delivery) => {
      const event = text(delivery.content);
      const again = delivery.fields.redelivered ? " (redelivered)" : "";
      console.log(` [x] Doing ${event}${again}`);
      await setTimeout(takes);
      console.log(` [x] Done ${event}`);
      channel.ack(delivery);
    });
    await channel.consume(queue, work);
    console.log(" [*] Standing by for events. To exit press CTRL+C");
  },
  { stopBy: "close" },
);
