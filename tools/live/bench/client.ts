import { setInterval } from "node:timers/promises";
import amqp from "amqplib";

// Publishes so many messages a second, and consumes them, until its standard input ends. Then it prints how many a
// second came back.
const rate = Number(process.argv[2]);
/** ms between two bursts. */
const PAUSE = 10;

const connection = await amqp.connect(process.env.AMQP_URL ?? "amqp://localhost", {
  noDelay: true,
  clientProperties: { connection_name: "bench" },
});
const channel = await connection.createChannel();
const { queue } = await channel.assertQueue("", { exclusive: true });
await channel.prefetch(200);
let received = 0;
await channel.consume(queue, (message) => {
  if (!message) return;
  received++;
  channel.ack(message);
});
const stopping = new AbortController();
process.stdin.resume().once("end", () => stopping.abort());
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;
let sent = 0;
try {
  for await (const _ of setInterval(PAUSE, undefined, { signal: stopping.signal }))
    for (; sent < elapsed() * rate; sent++) channel.sendToQueue(queue, Buffer.from(`Message ${sent}`));
} catch (error) {
  if (!stopping.signal.aborted) throw error;
}
console.log(received / elapsed());
await connection.close();
