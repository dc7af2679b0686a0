import type { Channel } from "amqplib";

export const queue = "quorum-failover";

/** The nodes of `cluster`, unless AMQP_URL names others. Each program connects to one, and goes to the next when it dies. */
export const nodes =
  process.env.CLUSTER_URL ??
  process.env.AMQP_URL ??
  "amqp://localhost:5672,amqp://localhost:5673,amqp://localhost:5674";
process.env.AMQP_URL = nodes;

/** Declares the queue with a member on each of three nodes. On a single node, it has one member. */
export async function declareFailover(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-quorum-initial-group-size": 3 },
  });
}
