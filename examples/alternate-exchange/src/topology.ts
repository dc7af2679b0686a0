import type { Channel } from "amqplib";

/** Two exchanges. What `plain` can't route is lost. What `guarded` can't route goes to its alternate exchange. */
export const exchanges = { plain: "orders", guarded: "orders_with_alternate" };

/** The name of the alternate exchange and of its queue. */
export const unrouted = "unrouted";

/**
 * Declares both exchanges, and the alternate exchange with its queue. All programs call it, because an alternate
 * exchange without a queue keeps no message.
 */
export async function declareOrders(channel: Channel): Promise<void> {
  // It is a fanout exchange, so that its queue gets every message, whatever the routing key.
  await channel.assertExchange(unrouted, "fanout");
  await declareQueue(channel, unrouted);
  await channel.bindQueue(unrouted, unrouted, "");
  await channel.assertExchange(exchanges.plain, "direct");
  await channel.assertExchange(exchanges.guarded, "direct", { alternateExchange: unrouted });
}

/** Declares a queue that survives a restart of the broker, with its messages. */
export async function declareQueue(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
