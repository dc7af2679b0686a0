import type { Channel } from "amqplib";

export const queue = "orders";
export const morgue = "morgue";
const exchange = "dead_letters";

/** Declares the queue of orders, and first the dead letter queue. Without one, dead orders would be dropped. */
export async function declareOrders(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "fanout", { durable: true });
  await channel.assertQueue(morgue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      // The morgue's own dead letters go back to the orders. So to reject a letter is to send it back.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": queue,
      // The morgue keeps a letter until the other queue has confirmed it. That needs reject-publish.
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
      // Each look at a letter counts as a failed delivery. RabbitMQ 4's default limit is 20, so set a higher one.
      "x-delivery-limit": 1_000_000_000,
    },
  });
  await channel.bindQueue(morgue, exchange, "");
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-dead-letter-exchange": exchange,
      // So few that you can see it. A third order pushes out the first (x-overflow: drop-head, the default).
      "x-max-length": 2,
      // An order that kills its worker comes back. After the sixth time it is a dead letter.
      "x-delivery-limit": 5,
    },
  });
}
