import type { Channel } from "amqplib";

export const exchange = "shipments";

/** Declares the exchange. Durable: it outlives a restart of the broker, unlike the queues of those who subscribe. */
export async function declareShipments(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "headers", { durable: true });
}
