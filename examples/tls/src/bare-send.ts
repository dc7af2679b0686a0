// What `send --as billing` does, with amqplib alone.
import { readFileSync } from "node:fs";
import amqp from "amqplib";
import { declareSecure, queue } from "./topology.ts";

const read = (name: string) => readFileSync(new URL(`../certificates/${name}.pem`, import.meta.url));

const connection = await amqp.connect(process.env.AMQPS_URL ?? "amqps://localhost", {
  // Whom we trust: the broker's certificate has to be signed by this authority.
  ca: read("ca"),
  // Who we are. EXTERNAL has the broker take the user's name from this certificate.
  cert: read("billing"),
  key: read("billing-key"),
  credentials: amqp.credentials.external(),
});
const channel = await connection.createConfirmChannel();
await declareSecure(channel);
channel.sendToQueue(queue, Buffer.from("Hello from amqplib"), {
  contentType: "text/plain",
  userId: "billing",
});
await channel.waitForConfirms();
console.log(" [x] Sent Hello from amqplib");
await connection.close();
