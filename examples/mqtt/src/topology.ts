import type { Channel } from "amqplib";

/** The exchange that RabbitMQ's MQTT plugin uses as well. Every virtual host has it. */
export const exchange = "amq.topic";

/** What the bridge carries, as an MQTT filter. */
export const filter = "plant/#";

/** The queue that keeps for MQTT what is published while the bridge is away. */
export const queue = "mqtt_bridge";

/** Declares the bridge's queue and binds it to what the bridge carries. */
export async function declareBridge(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(queue, exchange, "plant.#");
}
