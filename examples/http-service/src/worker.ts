import closeWithGrace from "close-with-grace";
import { handle, openConsumer } from "shared/amqp";
import { config, GOODBYE, log } from "./config.ts";
import { record } from "./ledger.ts";
import { declareOrders, queue, readOrder } from "./orders.ts";

const consumer = openConsumer(
  async (channel) => {
    await declareOrders(channel);
    await channel.prefetch(20);
    const work = handle(async (delivery) => {
      const found = readOrder(delivery);
      if (!found) {
        log.error("Not an order. It goes to the dead letter queue");
        return channel.reject(delivery, false);
      }
      // When this fails, `handle` puts the order back into the queue, and the delivery limit counts it.
      const isNew = await record(found.id, found.order);
      log.info({ id: found.id }, isNew ? "Order processed" : "Order was processed before");
      channel.ack(delivery);
    });
    await channel.consume(queue, work);
    log.info("Waiting for orders");
  },
  { url: config.AMQP_URL, name: "http-service worker", log, patience: Number.POSITIVE_INFINITY },
);

let closing = false;
closeWithGrace({ delay: config.CLOSE_DEADLINE, logger: log }, async ({ err }) => {
  closing = true;
  if (err) log.fatal(err);
  await consumer.stop({ deadline: config.CLOSE_DEADLINE - GOODBYE });
  await consumer.close({ deadline: GOODBYE / 2 });
});
// It rejects when waiting doesn't help, such as for a wrong password. Then the process ends with exit code 1.
await consumer.ready.catch((error) => {
  if (!closing) throw error;
});
await consumer.refused;
