import amqp from "amqplib";

/** Messages that are published before their confirms are awaited, and that may be unacknowledged at once. */
const WINDOW = 200;

const count = Number(process.argv[2]);
const body = Buffer.alloc(100, "x");

const connection = await amqp.connect(process.env.AMQP_URL ?? "amqp://localhost", { noDelay: true });
const queue = "bench";
const consuming = await connection.createChannel();
await consuming.assertQueue(queue, { durable: true });
await consuming.prefetch(WINDOW);
let received = 0;
const all = new Promise<void>((resolve) => {
  void consuming.consume(queue, (message) => {
    if (!message) return;
    consuming.ack(message);
    if (++received === count) resolve();
  });
});

const publishing = await connection.createConfirmChannel();
const began = performance.now();
for (let sent = 0; sent < count; sent += WINDOW) {
  for (let index = 0; index < WINDOW && sent + index < count; index++) publishing.sendToQueue(queue, body);
  await publishing.waitForConfirms();
}
await all;
const seconds = (performance.now() - began) / 1000;
console.log(Math.round(count / seconds));
await consuming.deleteQueue(queue);
await connection.close();
