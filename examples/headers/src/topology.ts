import type { Channel } from "amqplib";

export const exchange = "shipments";

/** Declares the exchange. It survives a restart of the broker, unlike the subscribers' queues. */
export async function declareShipments(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "headers", { durable: true });
}
