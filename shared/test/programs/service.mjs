// A service on `amqp` as it is when copied: plain JavaScript, with the compiled module at the first argument. It reports
// to its parent what a service must be able to rely on.
const listeners = () =>
  Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));

const command = () => new Promise((resolve) => process.once("message", resolve));
const report = (step) => process.send({ step, listeners: listeners() });

// Node adds listeners of its own for the channel to the parent.
process.on("message", () => {});
process.exit = () => process.send({ step: "process.exit was called" });
report("started");

const { BrokerError, connect, handle, openConsumer, openPublisher } = await import(process.argv[2]);
report("loaded");

const refused = await connect({ url: "amqp://127.0.0.1:1", patience: 0 }).catch((error) => error);
report(refused instanceof BrokerError ? "refused" : refused);

const url = process.argv[3];
const log = { info: keep("info"), warn: keep("warn"), error: keep("error") };
function keep(level) {
  return (message) => process.send({ level, message });
}
const declare = (channel) => channel.assertQueue("work", { durable: true });
const connection = await connect({ url, log });
const publisher = await openPublisher({ url, log, declare });
const consumer = openConsumer(
  async (channel) => {
    await declare(channel);
    await channel.prefetch(10);
    const work = handle((delivery) => {
      if (!delivery.fields.redelivered) throw new Error("on purpose");
      channel.ack(delivery);
      process.send({ body: delivery.content.toString() });
    });
    await channel.consume("work", work);
  },
  { url, log },
);
await consumer.ready;
await publisher.publish("", "work", Buffer.from("first"));
report("open");

// The parent takes the broker away, and brings it back.
await command();
report("away");
const second = publisher.publish("", "work", Buffer.from("second"));
await command();
await second;
report("back");

// What it has received.
await command();
await consumer.stop();
await consumer.close();
await publisher.close();
await connection.close();
report("closed");
process.removeAllListeners("message");
process.disconnect();
