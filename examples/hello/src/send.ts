import { produce, text, usage } from "shared";
import { declareHello, queue } from "./topology.ts";

const { words } = usage("send [text...]", 'send "Good morning"');
const message = words.join(" ") || "Hello World!";

await produce(async (channel) => {
  await declareHello(channel);
  channel.sendToQueue(queue, Buffer.from(message), { contentType: "text/plain" });
  // sendToQueue only writes to a buffer. The message is safe when the broker has confirmed it.
  await channel.waitForConfirms();
  console.log(` [x] Sent ${text(message)}`);
});
