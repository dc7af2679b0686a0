import { consume, text, usage } from "shared";
import { offsetOf, readOffset } from "./offset.ts";
import { declareEvents, stream } from "./topology.ts";

const { words, options, refuse } = usage("sub [--from first|last|next|offset|time]", "sub --from first", {
  from: { type: "string", default: "next" },
});
if (words.length > 0) refuse("sub takes no arguments but --from.");
let from =
  readOffset(options.from) ??
  refuse("--from takes first, last, next, an offset, a date like 2026-01-31T12:00:00Z or @seconds.");

await consume(async (channel) => {
  await declareEvents(channel);
  // A stream's consumer must say how many it takes in advance. Each acknowledgement asks for one more, and no other
  // purpose has it: nothing is removed, nothing comes back.
  await channel.prefetch(100);
  await channel.consume(
    stream,
    (event) => {
      const offset = offsetOf(event);
      console.log(` [x] ${offset}: ${text(event.content)}`);
      // After a reconnection all this runs again, and goes on here. The broker doesn't remember how far we have read.
      from = offset + 1;
      channel.ack(event);
    },
    { arguments: { "x-stream-offset": from } },
  );
  console.log(" [*] Waiting for events. To exit press CTRL+C");
});
