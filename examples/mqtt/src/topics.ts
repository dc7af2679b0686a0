/**
 * Where a message from MQTT goes in AMQP: `plant/1/temperature` becomes `plant.1.temperature`, as with RabbitMQ's
 * MQTT plugin (rabbit_mqtt_util.erl). A dot in the topic stays a dot, so it ends a word.
 *
 * @param topic An MQTT topic.
 * @returns The routing key, or `undefined` for a topic that is longer than a routing key may be: 255 bytes.
 */
export const toRoutingKey = (topic: string): string | undefined =>
  Buffer.byteLength(topic) > 255 ? undefined : topic.replaceAll("/", ".");

/**
 * Where a message from AMQP goes in MQTT: `plant.1.temperature` becomes `plant/1/temperature`.
 *
 * @param routingKey Any. It may hold what no topic may.
 * @returns The topic, or `undefined` when no topic corresponds to it.
 */
export function toTopic(routingKey: string): string | undefined {
  const topic = routingKey.replaceAll(".", "/");
  return isTopic(topic) ? topic : undefined;
}

/** Whether MQTT has room for a topic, a session's name or a will: fewer than 64 KiB (MQTT 3.1.1, section 1.5.3). */
export const fits = (text: string): boolean => Buffer.byteLength(text) < 2 ** 16;

/**
 * Whether one may publish to a topic: it isn't empty, holds neither wildcards nor control characters, and doesn't begin
 * with `$`, which is the broker's (MQTT 3.1.1, sections 1.5.3 and 4.7). Mosquitto hangs up on a client that does otherwise.
 */
export const isTopic = (topic: string): boolean =>
  /^[^$]/.test(topic) && !/[+#\p{Cc}\p{Noncharacter_Code_Point}]/u.test(topic) && fits(topic);

/** Whether one may subscribe to it: `+` and `#` stand for whole levels, `#` only for the last (section 4.7.1). */
export const isFilter = (filter: string): boolean =>
  filter !== "" && fits(filter) && /^((\+|[^+#/\p{Cc}]*)(\/|$))*#?$/u.test(filter);
