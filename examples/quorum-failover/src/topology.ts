import type { Channel } from "amqplib";

export const queue = "quorum-failover";

const threeNodes = "amqp://localhost:5672,amqp://localhost:5673,amqp://localhost:5674";

/** The nodes of `pnpm broker cluster`, unless AMQP_URL names others. (`undefined` leaves it to AMQP_URL.) */
export const url = process.env.CLUSTER_URL ?? (process.env.AMQP_URL ? undefined : threeNodes);

/** Declares the queue with a member on each of three nodes. On a single node, it has one member. */
export async function declareFailover(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-quorum-initial-group-size": 3 },
  });
}
