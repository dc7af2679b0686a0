import { consume, handle, text, usage } from "shared";
import { login } from "./accounts.ts";
import { exchange } from "./topology.ts";

const { options, refuse } = usage("sub [--as <user>]", "sub --as subscriber", {
  as: { type: "string", default: "subscriber" },
});
const account = login(options.as, refuse);

await consume(async (channel) => {
  // The broker names the queue amq.gen-…, which is a name that the subscriber may configure.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "#");
  const print = handle(({ fields, content }) =>
    console.log(` [x] ${text(fields.routingKey)}: '${text(content)}'`),
  );
  await channel.consume(queue, print, { noAck: true });
  console.log(" [*] Waiting for alerts. To exit press CTRL+C");
}, account);
