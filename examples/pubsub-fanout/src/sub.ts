import { consume, handle, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

usage("sub", "sub");

await consume(async (channel) => {
  await declareLogs(channel);
  // A queue of our own. The broker names it, and deletes it when we disconnect. If two subscribers used the same queue,
  // each would get half of the messages.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "");
  const print = handle(({ content }) => console.log(` [x] ${text(content)}`));
  await channel.consume(queue, print, { noAck: true });
  console.log(` [*] Waiting for messages in ${text(queue)}. To exit press CTRL+C`);
});
