import { randomUUID } from "node:crypto";
import { produce, text, usage } from "shared";
import { declareJobs, queue } from "./topology.ts";

const { words, refuse } = usage("pub <job>...", 'pub "Paint the fence" "Water the plants"');
if (words.length === 0) refuse("Which jobs?");

await produce(async (channel) => {
  await declareJobs(channel);
  for (const job of words) {
    // A job may be done twice. By its id, whoever minds can tell.
    channel.sendToQueue(queue, Buffer.from(job), { persistent: true, messageId: randomUUID() });
    console.log(` [x] Sent '${text(job)}'`);
  }
});
