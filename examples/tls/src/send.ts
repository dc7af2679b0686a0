import { produce, text } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsUsage } from "./url.ts";

const { words, as, url } = tlsUsage("send [text...]", 'send --as billing "Invoice 17 is paid"');
const message = words.join(" ") || "Hello World!";

await produce(
  async (channel) => {
    await declareSecure(channel);
    // The broker refuses a message whose userId isn't the user who has logged in, so receivers can rely on it.
    const sender = as === undefined ? {} : { userId: as };
    const properties = { persistent: true, contentType: "text/plain", ...sender };
    channel.sendToQueue(queue, Buffer.from(message), properties);
    await channel.waitForConfirms();
    console.log(` [x] Sent ${text(message)}`);
  },
  { url },
);
