import { firstSignal, text } from "shared";
import { readSub } from "./arguments.ts";
import { connectMqtt, disconnect } from "./connect-mqtt.ts";

const { filters, qos, session } = readSub();
const signalled = firstSignal();

// A lasting session may deliver what it kept before we know that we are subscribed.
let early: string[] | undefined = [];
const print = (line: string) => (early ? early.push(line) : console.log(line));
const client = await connectMqtt(session, ({ topic, payload, retain }) => {
  print(` [x] ${text(topic)}:'${text(payload)}'${retain ? " (retained)" : ""}`);
});
await client.subscribeAsync(filters, { qos });
console.log(" [*] Waiting for messages. To exit press CTRL+C");
for (const line of early) console.log(line);
early = undefined;

await signalled;
await disconnect(client);
