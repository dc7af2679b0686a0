import { consume, handle, text, usage } from "shared";
import { exchange } from "./topology.ts";

const { words: patterns } = usage("amqp-sub <pattern>...", 'amqp-sub "plant.*.temperature"');

await consume(async (channel) => {
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);
  const print = handle(({ fields, content }) =>
    console.log(` [x] ${text(fields.routingKey)}:'${text(content)}'`),
  );
  await channel.consume(queue, print, { noAck: true });
  console.log(" [*] Waiting for messages. To exit press CTRL+C");
});
