import { consume, handle, text, usage } from "shared";
import { declareLogs, exchange } from "./topology.ts";

const { words: severities } = usage("sub <severity>...", "sub warning error");

await consume(async (channel) => {
  await declareLogs(channel);
  // A queue of our own. The broker names it, and deletes it when we disconnect.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const severity of severities) await channel.bindQueue(queue, exchange, severity);
  const print = handle(({ fields, content }) =>
    console.log(` [x] ${text(fields.routingKey)}: '${text(content)}'`),
  );
  await channel.consume(queue, print, { noAck: true });
  console.log(" [*] Waiting for logs. To exit press CTRL+C");
});
