import { consume, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words, refuse } = usage("sub", "sub");
if (words.length > 0) refuse("sub takes no arguments: a subscriber gets every message.");

await consume(async (channel) => {
  await declareLogs(channel);
  // A queue of our own: the broker names it, and deletes it when we go. Two that shared one would share the messages.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "");
  await channel.consume(queue, ({ content }) => console.log(` [x] ${text(content)}`), { noAck: true });
  console.log(` [*] Waiting for messages in ${text(queue)}. To exit press CTRL+C`);
});
