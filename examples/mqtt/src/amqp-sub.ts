import { consume, text, usage } from "shared";
import { exchange } from "./topology.ts";

const { words: patterns, refuse } = usage("amqp-sub <pattern>...", 'amqp-sub "plant.*.temperature"');
if (patterns.length === 0) refuse("Which routing keys? Give at least one pattern, in quotes.");
if (patterns.some((pattern) => Buffer.byteLength(pattern) > 255)) refuse("A pattern has at most 255 bytes.");

await consume(async (channel) => {
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);
  await channel.consume(
    queue,
    ({ fields, content }) => console.log(` [x] ${text(fields.routingKey)}:'${text(content)}'`),
    { noAck: true },
  );
  console.log(" [*] Waiting for messages. To exit press CTRL+C");
});
