import type { Channel } from "amqplib";

export const queue = "offers";

/** Where the broker puts the offers that expire, so that they can be seen. Without it they would be dropped. */
export const expired = "expired_offers";

/** ms: ten years, RabbitMQ's limit. */
export const longestTtl = 315_360_000_000;

/**
 * Declares both queues. The times are in ms.
 *
 * A queue that expires is deleted with its messages, and those are not dead-lettered. So it lives longer than they do.
 */
export async function declareOffers(channel: Channel): Promise<void> {
  await channel.assertQueue(expired, { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "classic",
      // No offer stays longer than this, whatever its publisher asks for.
      "x-message-ttl": 2_000,
      // The queue is deleted when it has had no consumer for this long, and no program has declared or fetched from it.
      "x-expires": 8_000,
      // The default exchange passes what has expired to the queue of this name.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": expired,
    },
  });
}
