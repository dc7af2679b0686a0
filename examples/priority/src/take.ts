import { produce, usage } from "shared";
import { show } from "./ticket.ts";
import { declareTickets } from "./topology.ts";

const { words, options, refuse } = usage("take [--quorum]", "take", {
  quorum: { type: "boolean", default: false },
});
if (words.length > 0) refuse("take takes no arguments.");

await produce(async (channel) => {
  const queue = await declareTickets(channel, options.quorum);
  // Asking for one message is slow, and right for a program that wants just one. A worker subscribes, as sub does.
  const ticket = await channel.get(queue);
  console.log(ticket ? ` [x] ${show(ticket)}` : " [x] Nothing to do");
  if (ticket) channel.ack(ticket);
});
