import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";
import { exercise, Miss } from "exercise";
import mqtt from "mqtt";

const directions = "src/directions.ts";
const bridge = "src/bridge.ts";

const waits = "await publisher.publish(exchange, routingKey, Buffer.from(payload), options);";

export default exercise({
  from: "mqtt",
  files: [directions],
  given: [
    {
      file: directions,
      find: waits,
      replace: `// RabbitMQ may be away for long. The publisher publishes it then, so that others need not wait.
    void publisher.publish(exchange, routingKey, Buffer.from(payload), options);`,
    },
    {
      file: directions,
      find: "What handles a message of MQTT. It resolves when RabbitMQ has confirmed, however long that takes. QoS 1 becomes",
      replace: "What handles a message of MQTT. QoS 1 becomes",
    },
  ],

  async check({ runWith, channel, amqpUrl, wireTo, until }) {
    const temperatures = new Map<string, string>();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "amq.topic", "plant.*.temperature");
    await channel.consume(
      queue,
      (delivery) => delivery && temperatures.set(delivery.fields.routingKey, delivery.content.toString()),
      { noAck: true },
    );

    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle).listen(0, "127.0.0.1");
    await once(server, "listening");
    const MQTT_URL = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sensor = await mqtt.connectAsync(MQTT_URL);
    try {
      let commands = 0;
      sensor.on("message", () => commands++);
      await sensor.subscribeAsync("plant/+/valve");
      const wire = await wireTo(amqpUrl);
      const first = runWith({ amqpUrl: wire.amqpUrl, env: { MQTT_URL } }, "bridge");
      await first.ready();

      // What the sensor sends goes no further than to the bridge.
      wire.holdWhen(({ method }) => method === "basic.publish");
      await sensor.publishAsync("plant/1/temperature", "21.5", { qos: 1 });
      await until(() => wire.held.length > 0, "The bridge did not publish to RabbitMQ what the sensor sent.");
      // It speaks to the MQTT broker in order. When this has arrived there, an acknowledgement before it has as well.
      channel.publish("amq.topic", "plant.1.valve", Buffer.from("open"), { persistent: true });
      await until(() => commands > 0, "The bridge did not carry a command from RabbitMQ to the MQTT broker.");
      first.kill();
      await first.exit;
      await wire.unplug();

      const second = runWith({ env: { MQTT_URL } }, "bridge");
      await second.ready();
      await sensor.publishAsync("plant/2/temperature", "22.0", { qos: 1 });
      await until(
        () => temperatures.has("plant.2.temperature"),
        "The bridge carried nothing more after it had been started again.",
        { within: 6_000 },
      );
    } finally {
      await sensor.endAsync(true);
      server.close();
      await new Promise<void>((resolve) => broker.close(resolve));
    }
    if (!temperatures.has("plant.1.temperature"))
      throw new Miss(
        "The bridge was killed with kill -9 before RabbitMQ had the message of the sensor. The MQTT broker did not send " +
          "it again to the next bridge, and it is lost.",
      );
  },

  says: /killed with kill -9 before RabbitMQ had the message of the sensor.*it is lost/,
  wrong: [
    {
      why: "room is there before the message is sent",
      on: "solution",
      edits: [
        {
          file: directions,
          find: waits,
          replace: `await publisher.room();
    void publisher.publish(exchange, routingKey, Buffer.from(payload), options);`,
        },
      ],
      says: /it is lost/,
    },
    {
      why: "in a clean session the MQTT broker keeps nothing",
      on: "solution",
      edits: [{ file: bridge, find: "clean: false", replace: "clean: true" }],
      says: /it is lost/,
    },
    {
      why: "of what is delivered at QoS 0, the MQTT broker keeps nothing",
      on: "solution",
      edits: [{ file: bridge, find: "{ qos: 1 }", replace: "{ qos: 0 }" }],
      says: /it is lost/,
    },
  ],
});
