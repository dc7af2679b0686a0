import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { firstSignal, integer, text, usage } from "shared";
import { connectMqtt, disconnect, type Session } from "./connect-mqtt.ts";
import { fits, isTopic } from "./topics.ts";

const synopsis = "run publish <topic> [text...] [--qos 0|1] [--retain] [--will text] [--vanish] [--every ms]";
const { words, options, refuse } = usage(synopsis, "run publish plant/1/temperature 21.5 --qos 1", {
  qos: { type: "string", default: "1" },
  retain: { type: "boolean", default: false },
  will: { type: "string" },
  vanish: { type: "boolean", default: false },
  every: { type: "string" },
});
const [topic = refuse("To which topic?"), ...rest] = words;
if (!isTopic(topic)) refuse(`"${text(topic)}" is no topic: it may hold no + and no #, and begin with no $.`);
const qos = options.qos === "0" ? 0 : options.qos === "1" ? 1 : refuse("--qos takes 0 or 1.");
const readInterval = (word: string) => integer(word, 1) ?? refuse("--every takes a whole number of ms.");
const interval = options.every === undefined ? undefined : readInterval(options.every);
const { retain, will, vanish } = options;
if (!fits(will ?? "")) refuse("--will takes at most 65535 bytes.");

const lastWill: Session =
  will === undefined ? {} : { will: { topic, payload: Buffer.from(will), qos, retain } };
const client = await connectMqtt(lastWill);
const stop = new AbortController();
if (interval !== undefined) void firstSignal().then(() => stop.abort());
stop.signal.addEventListener("abort", () => disconnect(client));
try {
  do {
    const payload = rest.join(" ") || (randomInt(150, 250) / 10).toFixed(1);
    // At QoS 1 this resolves when the broker has acknowledged it, at QoS 0 when it is on its way.
    await client.publishAsync(topic, payload, { qos, retain });
    console.log(` [x] Sent ${text(topic)}: '${text(payload)}'`);
  } while (interval !== undefined && (await pause(interval, true, { signal: stop.signal })));
  // With `true`, as a crash or a power cut would end it: without DISCONNECT.
  await (vanish ? client.endAsync(true) : disconnect(client));
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
