import type { Channel } from "amqplib";

export const queue = "orders";
export const morgue = "morgue";
const exchange = "dead_letters";

/** Declares the queue of orders, and first the place for those that die in it: without one they would be dropped. */
export async function declareOrders(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "fanout", { durable: true });
  // Not a quorum queue: there, each look counts as a failed delivery, and in RabbitMQ 4 the 21st drops the message.
  await channel.assertQueue(morgue, { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.bindQueue(morgue, exchange, "");
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-dead-letter-exchange": exchange,
      // So few that you can see it. A third that waits pushes out the first (x-overflow: drop-head, the default).
      "x-max-length": 2,
      // An order that comes back more often than this has killed workers enough.
      "x-delivery-limit": 5,
    },
  });
}
