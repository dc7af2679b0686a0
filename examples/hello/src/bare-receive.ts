// receive.ts with amqplib alone. It shows what `consume` does for you, except that it doesn't reconnect.
import { connect } from "amqplib";

const connection = await connect(process.env.AMQP_URL ?? "amqp://localhost");
const channel = await connection.createChannel();
await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
console.log(" [*] Waiting for messages in hello. To exit press CTRL+C");
await channel.consume(
  "hello",
  (delivery) => {
    // null means that the broker has cancelled the consumer, because the queue was deleted.
    if (delivery) console.log(` [x] Received ${delivery.content}`);
  },
  { noAck: true },
);
process.once("SIGINT", () => connection.close());
