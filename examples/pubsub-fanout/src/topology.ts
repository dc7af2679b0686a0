import type { Channel } from "amqplib";

export const exchange = "logs";

/** Declares the exchange. Not durable, as in the official tutorials, so that their programs can join in. */
export async function declareLogs(channel: Channel): Promise<void> {
  await channel.assertExchange(exchange, "fanout", { durable: false });
}
