import { consume, text, usage } from "shared";
import { login, loginOption } from "./logins.ts";
import { declareLogs, exchange } from "./topology.ts";

const {
  words: severities,
  options,
  refuse,
} = usage("sub [--as <user>] <severity>...", "sub warning error", loginOption);
if (severities.length === 0) refuse("Which severities? Give at least one.");
if (severities.some((severity) => Buffer.byteLength(severity) > 255))
  refuse("A severity is a routing key, which has at most 255 bytes.");

await consume(
  async (channel) => {
    if (!options.as) await declareLogs(channel);
    // A queue of our own: the broker names it, and deletes it when we go.
    const { queue } = await channel.assertQueue("", { exclusive: true });
    for (const severity of severities) await channel.bindQueue(queue, exchange, severity);
    await channel.consume(
      queue,
      ({ fields, content }) => console.log(` [x] ${text(fields.routingKey)}: '${text(content)}'`),
      { noAck: true },
    );
    console.log(" [*] Waiting for logs. To exit press CTRL+C");
  },
  login(options.as, refuse),
);
