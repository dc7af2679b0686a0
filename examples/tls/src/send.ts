import { produce, text, usage } from "shared";
import { declareSecure, queue } from "./topology.ts";
import { tlsOptions, tlsSynopsis, tlsUrl } from "./url.ts";

const { words, options, refuse } = usage(
  `send ${tlsSynopsis} [text...]`,
  'send --as billing "Invoice 17 is paid"',
  tlsOptions,
);
const message = words.join(" ") || "Hello World!";

await produce(
  async (channel) => {
    await declareSecure(channel);
    // The broker refuses a message whose userId isn't the user who has logged in. So whoever receives it can rely on it.
    const sender = options.as === undefined ? {} : { userId: options.as };
    channel.sendToQueue(queue, Buffer.from(message), { persistent: true, ...sender });
    console.log(` [x] Sent ${text(message)}`);
  },
  { url: tlsUrl(options, refuse) },
);
