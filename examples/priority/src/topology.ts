import type { Channel } from "amqplib";

const queues = {
  // Levels 0 to 5. RabbitMQ keeps a queue for each level inside, so few are better than many.
  classic: { name: "tickets", arguments: { "x-queue-type": "classic", "x-max-priority": 5 } },
  // A quorum queue refuses x-max-priority. What it does with priorities depends on RabbitMQ's version.
  quorum: { name: "tickets_quorum", arguments: { "x-queue-type": "quorum" } },
};

/**
 * Declares the queue for tickets.
 *
 * @param quorum Whether to use the quorum queue instead of the classic one.
 * @returns The queue's name.
 */
export async function declareTickets(channel: Channel, quorum: boolean): Promise<string> {
  const { name, arguments: args } = quorum ? queues.quorum : queues.classic;
  await channel.assertQueue(name, { durable: true, arguments: args });
  return name;
}
