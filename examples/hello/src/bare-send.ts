// send.ts with amqplib alone: what `produce` spares it.
import { connect } from "amqplib";

const connection = await connect(process.env.AMQP_URL ?? "amqp://localhost");
const channel = await connection.createConfirmChannel();
await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
channel.sendToQueue("hello", Buffer.from("Hello World!"));
// sendToQueue only writes to a buffer. Until the broker has confirmed it, the message may be lost.
await channel.waitForConfirms();
console.log(" [x] Sent Hello World!");
await connection.close();
