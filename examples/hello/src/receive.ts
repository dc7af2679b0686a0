import { consume, handle, text, usage } from "shared";
import { declareHello, queue } from "./topology.ts";

usage("receive", "receive");

await consume(async (channel) => {
  await declareHello(channel);
  const print = handle(({ content }) => console.log(` [x] Received ${text(content)}`));
  // noAck: the broker forgets a message as soon as it has sent it to us.
  await channel.consume(queue, print, { noAck: true });
  console.log(` [*] Waiting for messages in ${queue}. To exit press CTRL+C`);
});
