import { produce, usage } from "shared";
import { show } from "./ticket.ts";
import { declareTickets } from "./topology.ts";

const { options } = usage("take [--quorum]", "take", { quorum: { type: "boolean", default: false } });

await produce(async (channel) => {
  const queue = await declareTickets(channel, options.quorum);
  // Good for a program that wants just one message. For many it is slow: a worker subscribes, as sub does.
  const ticket = await channel.get(queue);
  console.log(ticket ? ` [x] ${show(ticket)}` : " [x] Nothing to do");
  if (ticket) channel.ack(ticket);
});
