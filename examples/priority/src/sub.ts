import { consume, handle, usage } from "shared";
import { show } from "./ticket.ts";
import { declareTickets } from "./topology.ts";

const { options } = usage("sub [--quorum]", "sub", { quorum: { type: "boolean", default: false } });

await consume(async (channel) => {
  const queue = await declareTickets(channel, options.quorum);
  // Priority orders only what is still in the queue. Prefetched tickets would go ahead of a new fire.
  await channel.prefetch(1);
  const print = handle((ticket) => {
    console.log(` [x] ${show(ticket)}`);
    channel.ack(ticket);
  });
  await channel.consume(queue, print);
  console.log(` [*] Waiting for tickets in ${queue}. To exit press CTRL+C`);
});
