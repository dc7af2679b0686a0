import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { firstSignal, giveUp, integer, text, usage } from "shared";
import { Producer } from "./messaging.ts";
import { declareIntegers, exchange, parityOf } from "./topology.ts";

const { words, options, refuse } = usage("producer [integer...] [--interval ms]", "producer 14 47", {
  interval: { type: "string", default: "1000" },
});
const read = (word: string) => integer(word, Number.MIN_SAFE_INTEGER);
const given = words.map((word) => read(word) ?? refuse(`"${text(word)}" is not an integer.`));
const interval = integer(options.interval) ?? refuse("--interval takes a whole number of ms.");
if (interval >= 2 ** 31) refuse("--interval takes 2147483647 ms at most: no timer waits longer.");
const producer = new Producer(exchange, declareIntegers);

const stop = new AbortController();
try {
  void firstSignal().then(() => stop.abort());
  stop.signal.addEventListener("abort", () => producer.close());
  for (let sent = 0; sent < (given.length || Number.POSITIVE_INFINITY); sent++) {
    if (sent > 0) await pause(interval, undefined, { signal: stop.signal });
    const number = given[sent] ?? randomInt(1, 101);
    await producer.publish(String(number), parityOf(number));
    console.log(`integer: ${number}`);
  }
  await producer.close();
} catch (error) {
  // A signal came during the pause, or while the broker was away. The integer in hand has not been printed.
  if (!stop.signal.aborted) giveUp(error);
}
