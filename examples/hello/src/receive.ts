import { consume, text, usage } from "shared";
import { declareHello, queue } from "./topology.ts";

const { words, refuse } = usage("receive", "receive");
if (words.length > 0) refuse("receive takes no arguments.");

await consume(async (channel) => {
  await declareHello(channel);
  await channel.consume(queue, ({ content }) => console.log(` [x] Received ${text(content)}`), {
    noAck: true,
  });
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});
