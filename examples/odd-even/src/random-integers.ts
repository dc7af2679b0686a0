import { randomInt } from "node:crypto";

/** Yields random integers from 1 to 100. */
export function* randomIntegers(count: number): Generator<number> {
  for (let yielded = 0; yielded < count; yielded++) yield randomInt(1, 101);
}
