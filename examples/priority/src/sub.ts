import { consume, usage } from "shared";
import { show } from "./ticket.ts";
import { declareTickets } from "./topology.ts";

const { words, options, refuse } = usage("sub [--quorum]", "sub", {
  quorum: { type: "boolean", default: false },
});
if (words.length > 0) refuse("sub takes no arguments.");

await consume(async (channel) => {
  const queue = await declareTickets(channel, options.quorum);
  // Only what still waits in the queue has an order. What we were given ahead would come before any fire.
  await channel.prefetch(1);
  await channel.consume(queue, (ticket) => {
    console.log(` [x] ${show(ticket)}`);
    channel.ack(ticket);
  });
  console.log(` [*] Waiting for tickets in ${queue}. To exit press CTRL+C`);
});
