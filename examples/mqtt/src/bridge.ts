import { consume, handle, log, openPublisher, usage } from "shared";
import { connectMqtt, disconnect } from "./connect-mqtt.ts";
import { toAmqp, toMqtt } from "./directions.ts";
import { declareBridge, filter, queue } from "./topology.ts";

usage("bridge", "bridge");

const publisher = openPublisher({ onRefusal: "retry", log });
// The session outlives the connection: its broker keeps for us what is published while we are away.
const session = { clientId: "amqp-bridge", clean: false, bridge: true };
const mqtt = await connectMqtt(session, toAmqp(publisher));

await consume(
  async (channel) => {
    await declareBridge(channel);
    await channel.prefetch(100);
    // Without RabbitMQ we can't take what MQTT has for us. The session keeps it.
    channel.once("close", () => mqtt.end(true));
    if (mqtt.disconnecting || mqtt.disconnected) mqtt.reconnect();
    await mqtt.subscribeAsync(filter, { qos: 1 });
    const carry = handle(async (delivery) => {
      // Acknowledged to one broker when the other has it: a crash in between makes a duplicate, and loses nothing.
      if (await toMqtt(mqtt, delivery)) channel.ack(delivery);
      else channel.reject(delivery, false);
    });
    await channel.consume(queue, carry);
    console.log(` [*] Carrying ${filter} between MQTT and AMQP. To exit press CTRL+C`);
  },
  // The publisher reports already when RabbitMQ is away and when it is back.
  { log: { ...log, info() {}, warn() {} } },
);
await disconnect(mqtt);
await publisher.close();
