import { consume, handle, text, usage } from "shared";
import { offsetOf, readOffset } from "./offset.ts";
import { declareEvents, stream } from "./topology.ts";

const { options, refuse } = usage("sub [--from first|last|next|offset|time]", "sub --from first", {
  from: { type: "string", default: "next" },
});
let from =
  readOffset(options.from) ??
  refuse("--from takes first, last, next, an offset, a date like 2026-01-31T12:00:00Z or @seconds.");

await consume(async (channel) => {
  await declareEvents(channel);
  const print = handle((event) => {
    const offset = offsetOf(event);
    console.log(` [x] ${offset}: ${text(event.content)}`);
    // After a reconnection the setup runs again and goes on here. The broker doesn't remember how far we have read.
    from = offset + 1;
    channel.ack(event);
  });
  // A stream's consumer must set a prefetch. An ack only asks for one more event: it removes nothing.
  await channel.prefetch(100);
  await channel.consume(stream, print, { arguments: { "x-stream-offset": from } });
  console.log(" [*] Waiting for events. To exit press CTRL+C");
});
