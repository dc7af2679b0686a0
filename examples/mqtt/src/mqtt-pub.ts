import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { firstSignal, text } from "shared";
import { readPub } from "./arguments.ts";
import { connectMqtt, disconnect } from "./connect-mqtt.ts";

const { topic, words, qos, retain, vanish, session, interval } = readPub();

const client = await connectMqtt(session);
const stop = new AbortController();
if (interval !== undefined) void firstSignal().then(() => stop.abort());
stop.signal.addEventListener("abort", () => disconnect(client));
try {
  do {
    // A temperature, when no text was given.
    const payload = words.join(" ") || (randomInt(150, 250) / 10).toFixed(1);
    // At QoS 1 this resolves when the broker has acknowledged the message, at QoS 0 when it is on its way.
    await client.publishAsync(topic, payload, { qos, retain });
    console.log(` [x] Sent ${text(topic)}: '${text(payload)}'`);
  } while (interval !== undefined && (await pause(interval, true, { signal: stop.signal })));
  // With `true` it ends as by a crash or a power cut: without DISCONNECT.
  await (vanish ? client.endAsync(true) : disconnect(client));
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
