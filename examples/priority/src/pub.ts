import { integer, produce, text, usage } from "shared";
import { declareTickets } from "./topology.ts";

const { words, options, refuse } = usage("pub [--quorum] <priority> [text...]", 'pub 5 "Fire"', {
  quorum: { type: "boolean", default: false },
});
const [word = "", ...rest] = words;
// It is one byte in a message's properties. A number above the queue's highest level counts as that level.
const priority = integer(word) ?? 256;
if (priority > 255) refuse("A priority is a number from 0 to 255.");

await produce(async (channel) => {
  const ticket = rest.join(" ") || "A ticket";
  const queue = await declareTickets(channel, options.quorum);
  const properties = { priority, persistent: true, contentType: "text/plain" };
  channel.sendToQueue(queue, Buffer.from(ticket), properties);
  await channel.waitForConfirms();
  console.log(` [x] Sent ${priority}: '${text(ticket)}'`);
});
