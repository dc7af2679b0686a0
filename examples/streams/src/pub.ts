import { once } from "node:events";
import { integer, produce, usage } from "shared";
import { declareEvents, stream } from "./topology.ts";

const { words, options, refuse } = usage("pub [--count n] [text...]", "pub --count 3 Tick", {
  count: { type: "string", default: "1" },
});
const event = words.join(" ") || "Event";
const most = 1_000_000;
const count = integer(options.count, 1) ?? Number.POSITIVE_INFINITY;
if (count > most) refuse(`--count takes a whole number from 1 to ${most}.`);

await produce(async (channel) => {
  await declareEvents(channel);
  for (let number = 1; number <= count; number++) {
    const isRoomLeft = channel.sendToQueue(stream, Buffer.from(`${event} ${number}`));
    if (!isRoomLeft) await once(channel, "drain");
  }
  await channel.waitForConfirms();
  console.log(` [x] Published ${count} ${count === 1 ? "event" : "events"}`);
});
