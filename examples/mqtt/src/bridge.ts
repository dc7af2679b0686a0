import type { MqttClient } from "mqtt";
import { consume, firstSignal, usage } from "shared";
import { connectMqtt } from "./connect-mqtt.ts";
import { toAmqp, toMqtt } from "./directions.ts";
import { declareBridge, filter, queue } from "./topology.ts";

const { words, refuse } = usage("bridge", "bridge");
if (words.length > 0) refuse("bridge takes no arguments.");

// A session that lasts: what is published while we are away, its broker keeps for us.
const session = { clientId: "amqp-bridge", clean: false, bridge: true };
const signalled = firstSignal();
let client: MqttClient | undefined;

await consume(async (channel, connection) => {
  await declareBridge(channel);
  await channel.prefetch(100);
  // Without RabbitMQ we can't take what MQTT has for us.
  channel.once("close", () => client?.end(true));
  const handleMessage = toAmqp(await connection.createConfirmChannel());
  if (client) Object.assign(client, { handleMessage }).reconnect();
  else client = await connectMqtt(session, handleMessage);
  const mqtt = client;
  await mqtt.subscribeAsync(filter, { qos: 1 });

  await channel.consume(queue, async (delivery) => {
    // Acknowledged to one broker when the other has taken it: a crash in between makes a duplicate, and loses nothing.
    const carried = toMqtt(mqtt, delivery).then((taken) =>
      taken ? channel.ack(delivery) : channel.reject(delivery, false),
    );
    // After Ctrl-C there is no waiting for an MQTT broker that is away: what isn't acknowledged stays in the queue.
    await Promise.race([carried, signalled.then(() => (mqtt.connected ? carried : undefined))]);
  });
  console.log(` [*] Carrying ${filter} between MQTT and AMQP. To exit press CTRL+C`);
});
