// The shape of the official tutorial's rpc_server.js: no noDelay, and the acknowledgement right after the reply. Two
// small writes in one turn, of which TCP holds back the second until the first is acknowledged.
import { connect } from "amqplib";

const connection = await connect(process.env.AMQP_URL ?? "amqp://localhost");
const channel = await connection.createChannel();
await channel.assertQueue("rpc_queue", { durable: true, arguments: { "x-queue-type": "quorum" } });
await channel.prefetch(1);
await channel.consume("rpc_queue", (request) => {
  if (!request) return;
  const { replyTo, correlationId } = request.properties;
  channel.sendToQueue(replyTo, Buffer.from(String(fibonacci(Number(request.content)))), { correlationId });
  channel.ack(request);
});
console.log(" [x] Awaiting RPC requests");

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
