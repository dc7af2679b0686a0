// send.ts with amqplib alone. It shows what `produce` does for you.
import { connect } from "amqplib";

const connection = await connect(process.env.AMQP_URL ?? "amqp://localhost");
const channel = await connection.createConfirmChannel();
await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
channel.sendToQueue("hello", Buffer.from("Hello World!"), { contentType: "text/plain" });
await channel.waitForConfirms();
console.log(" [x] Sent Hello World!");
await connection.close();
