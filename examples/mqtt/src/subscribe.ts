import { firstSignal, text, usage } from "shared";
import { connectMqtt, disconnect } from "./connect-mqtt.ts";
import { fits, isFilter } from "./topics.ts";

const synopsis = "subscribe <topic filter>... [--qos 0|1] [--session name]";
const {
  words: filters,
  options,
  refuse,
} = usage(synopsis, 'subscribe "plant/+/temperature"', {
  qos: { type: "string", default: "1" },
  session: { type: "string" },
});
if (filters.length === 0) refuse("To which topics? Give at least one topic or filter, in quotes.");
for (const filter of filters)
  if (!isFilter(filter))
    refuse(`"${text(filter)}" is no filter: + and # stand for whole levels, # for the last.`);
const qos = options.qos === "0" ? 0 : options.qos === "1" ? 1 : refuse("--qos takes 0 or 1.");
const { session } = options;
if (session === "" || !fits(session ?? "")) refuse("--session takes a name of 1 to 65535 bytes.");

// A session that lasts may deliver what it kept before we know that we are subscribed.
let early: string[] | undefined = [];
const print = (line: string) => (early ? early.push(line) : console.log(line));

const signalled = firstSignal();
const client = await connectMqtt(
  session === undefined ? {} : { clientId: session, clean: false },
  ({ topic, payload, retain }, acknowledge) => {
    print(` [x] ${text(topic)}:'${text(payload)}'${retain ? " (retained)" : ""}`);
    acknowledge();
  },
);
await client.subscribeAsync(filters, { qos });
console.log(" [*] Waiting for messages. To exit press CTRL+C");
for (const line of early) console.log(line);
early = undefined;

await signalled;
await disconnect(client);
