import type { Channel } from "amqplib";

/** Declares a durable direct exchange: it hands a message to the queues that are bound with its routing key. */
export async function declareExchange(channel: Channel, exchange: string): Promise<void> {
  await channel.assertExchange(exchange, "direct", { durable: true });
}

/** Declares a durable quorum queue, bound to an exchange with one routing key. */
export async function declareQueue(
  channel: Channel,
  queue: string,
  exchange: string,
  routingKey: string,
): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(queue, exchange, routingKey);
}
