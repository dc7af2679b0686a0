import { setTimeout as pause } from "node:timers/promises";
import { firstSignal, giveUp, integer, text, usage } from "shared";
import { Producer } from "./messaging/producer.ts";
import { randomIntegers } from "./random-integers.ts";
import { declareIntegers, exchange, parityOf } from "./topology.ts";

const synopsis = "producer [integer...] [--count N] [--interval ms]";
const { words, options, refuse } = usage(synopsis, "producer 14 47 --interval 200", {
  count: { type: "string" },
  interval: { type: "string", default: "1000" },
});
const readInteger = (word: string) =>
  integer(word, Number.MIN_SAFE_INTEGER) ?? refuse(`"${text(word)}" is no integer.`);
const readCount = (word: string) => integer(word, 1) ?? refuse("--count takes a whole number from 1 up.");
const given = words.map(readInteger);
const count = options.count === undefined ? Number.POSITIVE_INFINITY : readCount(options.count);
if (given.length > 0 && count < Number.POSITIVE_INFINITY)
  refuse("Give integers, or a --count of random ones.");
const interval = integer(options.interval) ?? refuse("--interval takes a whole number of ms.");
if (interval >= 2 ** 31) refuse("--interval takes 2147483647 ms at most: no timer waits longer.");

const stop = new AbortController();
try {
  const producer = await Producer.connect(exchange, declareIntegers);
  void firstSignal().then(() => stop.abort());
  stop.signal.addEventListener("abort", () => producer.close());
  let wait = 0;
  for (const number of given.length > 0 ? given : randomIntegers(count)) {
    await pause(wait, undefined, { signal: stop.signal });
    await producer.publish(String(number), parityOf(number));
    console.log(`integer: ${number}`);
    wait = interval;
  }
  await producer.close();
} catch (error) {
  // Interrupted while it paused, or while the broker was away: the integer in hand is none that it has printed.
  if (!stop.signal.aborted) giveUp(error);
}
