import type { Channel } from "amqplib";

/** Two exchanges that differ in one thing: what the first can't route is lost, the second hands it on. */
export const exchanges = { plain: "orders", guarded: "orders_with_alternate" };

/** The alternate exchange, and its queue. */
export const unrouted = "unrouted";

/**
 * Declares both exchanges, and the alternate one with its queue: an alternate exchange that nothing is bound to
 * saves nothing. So all programs do it, whichever runs first.
 */
export async function declareOrders(channel: Channel): Promise<void> {
  // A fanout, so that it takes whatever comes: a message keeps the routing key that led nowhere.
  await channel.assertExchange(unrouted, "fanout");
  await declareQueue(channel, unrouted);
  await channel.bindQueue(unrouted, unrouted, "");
  await channel.assertExchange(exchanges.plain, "direct");
  await channel.assertExchange(exchanges.guarded, "direct", { alternateExchange: unrouted });
}

/** Declares a queue that outlives a restart of the broker, and its messages with it. */
export async function declareQueue(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
