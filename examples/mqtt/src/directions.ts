import type { ConsumeMessage } from "amqplib";
import type { MqttClient } from "mqtt";
import { type Publisher, text } from "shared";
import type { MessageHandler } from "./connect-mqtt.ts";
import { toRoutingKey, toTopic } from "./topics.ts";
import { exchange } from "./topology.ts";

/** The header of messages that came from MQTT. They aren't carried back there. */
const mark = "x-from-mqtt";

/**
 * Bytes. From version 2.1 on, Mosquitto hangs up on a client that sends a packet of more than 2,000,000, topic included
 * (`max_packet_size`). What isn't acknowledged is sent again, so without this limit one message could stop all others.
 */
const largest = 1_990_000;

/**
 * Carries messages from MQTT to AMQP.
 *
 * @param publisher Publishes them, again and again while RabbitMQ is away or refuses them.
 * @returns What handles a message of MQTT. It resolves when RabbitMQ has confirmed, however long that takes. QoS 1 becomes
 *   a persistent message, as with RabbitMQ's MQTT plugin.
 */
export const toAmqp =
  (publisher: Publisher): MessageHandler =>
  async ({ topic, payload, qos }) => {
    const routingKey = toRoutingKey(topic);
    if (routingKey === undefined || payload.length > largest) return dropped("MQTT", topic, payload.length);
    const options = { persistent: qos > 0, headers: { [mark]: true } };
    await publisher.publish(exchange, routingKey, Buffer.from(payload), options);
  };

/**
 * Carries a message from AMQP to MQTT: a persistent one at QoS 1, any other at QoS 0.
 *
 * @param client Publishes it.
 * @returns At QoS 1 when the MQTT broker has acknowledged it. `false` for a message that MQTT can't take: its routing key
 *   makes no topic, or it is too large.
 * @throws When the client is ended before.
 */
export async function toMqtt(client: MqttClient, delivery: ConsumeMessage): Promise<boolean> {
  const { fields, properties, content } = delivery;
  if (properties.headers?.[mark]) return true;
  const topic = toTopic(fields.routingKey);
  if (topic === undefined || content.length > largest) {
    dropped("AMQP", fields.routingKey, content.length);
    return false;
  }
  await client.publishAsync(topic, content, { qos: properties.deliveryMode === 2 ? 1 : 0 });
  return true;
}

function dropped(source: string, address: string, size: number): void {
  const reason =
    size > largest ? `its ${size} bytes are too many` : "the other side has no address like its own";
  console.error(` [!] Dropped a message from ${source}, ${reason}: ${text(address)}`);
}
