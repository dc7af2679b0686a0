import { produce, text, usage } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsOptions, tlsSynopsis, tlsUrl } from "./url.ts";

const example = 'send --as billing "Invoice 17 is paid"';
const { words, options, refuse } = usage(`send ${tlsSynopsis} [text...]`, example, tlsOptions);
const message = words.join(" ") || "Hello World!";
const url = tlsUrl(options, refuse);

await produce(
  async (channel) => {
    await declareSecure(channel);
    // The broker refuses a message whose userId isn't the user who has logged in, so receivers can rely on it.
    const sender = options.as === undefined ? {} : { userId: options.as };
    const properties = { persistent: true, contentType: "text/plain", ...sender };
    channel.sendToQueue(queue, Buffer.from(message), properties);
    await channel.waitForConfirms();
    console.log(` [x] Sent ${text(message)}`);
  },
  { url },
);
