import { consume, text, usage } from "shared";
import { declareOrders, queue } from "./topology.ts";

const { words, options, refuse } = usage("worker [--fail-on word]", "worker --fail-on glass", {
  "fail-on": { type: "string" },
});
if (words.length > 0) refuse("worker takes no arguments but --fail-on.");
const failOn = options["fail-on"];
if (failOn === "") refuse("--fail-on takes a word.");

await consume(async (channel) => {
  await declareOrders(channel);
  await channel.prefetch(10);
  await channel.consume(queue, (delivery) => {
    const order = text(delivery.content);
    if (failOn !== undefined && delivery.content.includes(failOn)) {
      console.log(` [x] Rejected: ${order}`);
      // Not back into its queue (false): it would come again at once, and fail again.
      channel.reject(delivery, false);
    } else {
      console.log(` [x] Done: ${order}`);
      channel.ack(delivery);
    }
  });
  console.log(" [*] Waiting for orders. To exit press CTRL+C");
});
