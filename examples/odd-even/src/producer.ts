import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { firstSignal, giveUp, integer, text, usage } from "shared";
import { Producer } from "./messaging/producer.ts";
import { declareIntegers, exchange, parityOf } from "./topology.ts";

const synopsis = "producer [integer...] [--count N] [--interval ms]";
const { words, options, refuse } = usage(synopsis, "producer 14 47 --interval 200", {
  count: { type: "string" },
  interval: { type: "string", default: "1000" },
});
const least = Number.MIN_SAFE_INTEGER;
const given = words.map((word) => integer(word, least) ?? refuse(`"${text(word)}" is no integer.`));
const count = integer(options.count ?? "1", 1) ?? refuse("--count takes a whole number from 1 up.");
const interval = integer(options.interval) ?? refuse("--interval takes a whole number of ms.");
if (interval >= 2 ** 31) refuse("--interval takes 2147483647 ms at most: no timer waits longer.");
if (words.length > 0 && options.count) refuse("Give integers, or a count of random ones, not both.");

function* integers() {
  if (words.length > 0) yield* given;
  else for (let sent = 0; !options.count || sent < count; sent++) yield randomInt(1, 101);
}

try {
  const producer = await Producer.connect(exchange, declareIntegers);
  const stop = new AbortController();
  void firstSignal().then(() => stop.abort());
  stop.signal.addEventListener("abort", () => producer.close());
  let wait = 0;
  for (const number of integers()) {
    await pause(wait, undefined, stop).catch(() => {});
    if (stop.signal.aborted) break;
    await producer.publish(String(number), parityOf(number));
    console.log(`integer: ${number}`);
    wait = interval;
  }
  await producer.close();
} catch (error) {
  giveUp(error);
}
