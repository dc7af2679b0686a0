import { produce, text, usage } from "shared";
import { declareTasks, queue } from "./topology.ts";

const { words } = usage("new-task [text...]", 'new-task "A task..."');
const task = words.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareTasks(channel);
  // In a quorum queue every message is persistent. In a durable classic one, only these survive a restart.
  channel.sendToQueue(queue, Buffer.from(task), { persistent: true, contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent '${text(task)}'`);
});
