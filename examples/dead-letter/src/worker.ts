import { consume, handle, text, usage } from "shared";
import { declareOrders, queue } from "./topology.ts";

const { options, refuse } = usage("worker [--fail-on word]", "worker --fail-on glass", {
  "fail-on": { type: "string" },
});
const failOn = options["fail-on"];
if (failOn === "") refuse("--fail-on takes a word.");

await consume(async (channel) => {
  await declareOrders(channel);
  const work = handle((delivery) => {
    const order = text(delivery.content);
    if (failOn !== undefined && delivery.content.includes(failOn)) {
      // Not back into its queue (false): it would come again at once, and fail again.
      channel.reject(delivery, false);
      console.log(` [x] Rejected: ${order}`);
    } else {
      channel.ack(delivery);
      console.log(` [x] Done: ${order}`);
    }
  });
  await channel.prefetch(10);
  await channel.consume(queue, work);
  console.log(" [*] Waiting for orders. To exit press CTRL+C");
});
