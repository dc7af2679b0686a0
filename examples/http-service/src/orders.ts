import type { Channel, ConsumeMessage } from "amqplib";
import { z } from "zod";

/** What a customer sends, and what the message holds. */
export const Order = z.object({
  item: z.string().min(1).max(100),
  quantity: z.int().min(1).max(1_000),
});

export type Order = z.infer<typeof Order>;

/** An order's id is the message's id. It is also the name of a file, so it holds neither dots nor slashes. */
export const OrderId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "Expected 1 to 64 letters, digits, _ or -");

export const queue = "http_orders";

/** The dead letter queue (DLQ): orders that are malformed, or that have failed too often. */
export const deadQueue = "dead_http_orders";

/** Declares both queues. The service and the worker do, so it doesn't matter which one starts first. */
export async function declareOrders(channel: Channel): Promise<void> {
  await channel.assertQueue(deadQueue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": 5,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": deadQueue,
      // A dead letter leaves this queue only when the other one has confirmed it. It requires reject-publish.
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  });
}

/**
 * Reads a message from the queue. Other programs can publish to it too.
 *
 * @returns The order and its id, or `undefined` when it is malformed.
 */
export function readOrder({ content, properties }: ConsumeMessage): { id: string; order: Order } | undefined {
  try {
    return { id: OrderId.parse(properties.messageId), order: Order.parse(JSON.parse(content.toString())) };
  } catch {
    return undefined;
  }
}
