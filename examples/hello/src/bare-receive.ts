// receive.ts with amqplib alone: what `consume` spares it, but for reconnecting.
import { connect } from "amqplib";

const connection = await connect(process.env.AMQP_URL ?? "amqp://localhost");
const channel = await connection.createChannel();
await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
console.log(" [*] Waiting for messages in hello. To exit press CTRL+C");
await channel.consume(
  "hello",
  (delivery) => {
    // null: the broker has cancelled the consumer, because somebody deleted the queue.
    if (delivery) console.log(` [x] Received ${delivery.content}`);
  },
  { noAck: true },
);
process.once("SIGINT", () => connection.close());
