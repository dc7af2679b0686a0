import type { Channel } from "amqplib";

export const exchange = "logs";

/** Declares the exchange. It isn't durable, because the official tutorials' programs declare it that way. */
export async function declareLogs(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "fanout", { durable: false });
}
