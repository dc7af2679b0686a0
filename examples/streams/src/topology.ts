import type { Channel } from "amqplib";

export const stream = "events";

/**
 * Declares the stream. In AMQP 0-9-1 it is a durable queue of another type.
 *
 * RabbitMQ removes old events from its beginning, a whole segment (a file) at a time, and only when it begins a new one.
 * So there is always more than the limits allow, by up to a segment.
 */
export async function declareEvents(channel: Channel): Promise<void> {
  await channel.assertQueue(stream, {
    durable: true,
    arguments: {
      "x-queue-type": "stream",
      // The limit that is reached first counts. Without one, the stream grows until the disk is full.
      "x-max-age": "7D",
      "x-max-length-bytes": 1_000_000_000,
      // By default it is 500 MB.
      "x-stream-max-segment-size-bytes": 50_000_000,
    },
  });
}
