import { produce, text, usage } from "shared";
import { declareEvents, queue } from "./topology.ts";

const { words } = usage("pub <event>...", 'pub "open" "deposit 100" "withdraw 30"');

await produce(async (channel) => {
  await declareEvents(channel);
  // Messages of one channel stay in their order.
  for (const event of words)
    channel.sendToQueue(queue, Buffer.from(event), { persistent: true, contentType: "text/plain" });
  await channel.waitForConfirms();
  for (const event of words) console.log(` [x] Sent '${text(event)}'`);
});
