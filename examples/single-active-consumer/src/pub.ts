import { produce, text, usage } from "shared";
import { declareEvents, queue } from "./topology.ts";

const { words, refuse } = usage("pub <event>...", 'pub "open" "deposit 100" "withdraw 30"');
if (words.length === 0) refuse("What has happened? Give at least one event.");

await produce(async (channel) => {
  await declareEvents(channel);
  // The order of one channel is the order of the queue.
  for (const event of words) {
    channel.sendToQueue(queue, Buffer.from(event), { persistent: true });
    console.log(` [x] Sent '${text(event)}'`);
  }
});
