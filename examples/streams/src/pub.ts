import { once } from "node:events";
import { integer, produce, usage } from "shared";
import { declareEvents, stream } from "./topology.ts";

const { words, options, refuse } = usage("pub [--count n] [text...]", "pub --count 3 Tick", {
  count: { type: "string", default: "1" },
});
const event = words.join(" ") || "Event";
const count = integer(options.count, 1) ?? Number.POSITIVE_INFINITY;
if (count > 1_000_000) refuse("--count takes a whole number from 1 to 1000000.");

await produce(async (channel) => {
  await declareEvents(channel);
  for (let number = 1; number <= count; number++) {
    const content = Buffer.from(`${event} ${number}`);
    const hasRoom = channel.sendToQueue(stream, content, { contentType: "text/plain" });
    if (!hasRoom) await once(channel, "drain");
  }
  await channel.waitForConfirms();
  console.log(` [x] Published ${count} ${count === 1 ? "event" : "events"}`);
});
