import type { Channel } from "amqplib";

export const queue = "offers";

/** Where the broker puts the offers that expire, so that they can be seen. Without it they would be dropped. */
export const expired = "expired_offers";

/**
 * Declares both queues. The times are in ms.
 *
 * A queue that expires takes its messages along, and those are not dead-lettered. So the queue outlives them all.
 */
export async function declareOffers(channel: Channel): Promise<void> {
  await channel.assertQueue(expired, { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "classic",
      // No offer stays longer than this, whatever its publisher says.
      "x-message-ttl": 2_000,
      // The queue is deleted when for so long it has had no consumer, and nobody has declared or looked at it.
      "x-expires": 8_000,
      // The default exchange hands what has expired to the queue of this name.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": expired,
    },
  });
}
