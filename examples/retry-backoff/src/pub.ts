import { randomUUID } from "node:crypto";
import { produce, text, usage } from "shared";
import { declareJobs, queue } from "./topology.ts";

const { words } = usage("pub <job>...", 'pub "Paint the fence" "Water the plants"');

await produce(async (channel) => {
  await declareJobs(channel);
  for (const job of words) {
    // A job may be done twice. A worker can tell by its id.
    channel.sendToQueue(queue, Buffer.from(job), { contentType: "text/plain", messageId: randomUUID() });
    await channel.waitForConfirms();
    console.log(` [x] Sent '${text(job)}'`);
  }
});
