import { integer, produce, text, usage } from "shared";
import { declareTickets } from "./topology.ts";

const { words, options, refuse } = usage("pub [--quorum] <priority> [text...]", 'pub 5 "Fire"', {
  quorum: { type: "boolean", default: false },
});
const [word = "", ...rest] = words;
const number = integer(word);
// It has one byte in a message's properties. What is above the queue's highest level counts as the highest.
const priority =
  number !== undefined && number <= 255 ? number : refuse("How urgent? Give a priority from 0 to 255.");
const ticket = rest.join(" ") || "A ticket";

await produce(async (channel) => {
  const queue = await declareTickets(channel, options.quorum);
  channel.sendToQueue(queue, Buffer.from(ticket), { priority, persistent: true });
  console.log(` [x] Sent ${priority}: '${text(ticket)}'`);
});
