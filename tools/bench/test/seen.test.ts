import { expect, test } from "vitest";
import { addUp, numbered, Seen } from "../src/engine/seen.ts";

const consumer = (...numbers: number[]) => {
  const seen = new Seen(10);
  for (const number of numbers) seen.add(numbered(number, 4));
  return seen;
};
const tally = (...numbers: number[][]) =>
  addUp(
    numbers.map((those) => consumer(...those).report()),
    10,
  );

test("all messages, each once", () => {
  expect(tally([0, 2, 4, 6, 8], [1, 3, 5, 7, 9])).toEqual({ missing: 0, duplicates: 0 });
});

test("missing ones", () => {
  expect(tally([], [])).toEqual({ missing: 10, duplicates: 0 });
  expect(tally([1, 2, 3, 4, 5, 6, 7, 8], [9])).toEqual({ missing: 1, duplicates: 0 });
});

test("duplicates, with one consumer and with several, and none of them makes up for a missing one", () => {
  expect(tally([0, 1, 2, 3, 4, 4, 4], [5, 6, 7, 8, 9, 0])).toEqual({ missing: 0, duplicates: 3 });
  expect(tally([0, 1, 2, 3, 4], [4, 5, 6, 7, 8])).toEqual({ missing: 1, duplicates: 1 });
});

test("a consumer counts each once", () => {
  const seen = consumer(3, 3, 9);
  expect(seen.count).toBe(2);
  expect(seen.report()).toEqual({ seen: Buffer.from([0b1000, 0b10]).toString("hex"), repeated: 1 });
});

test("a number that is none of the run's", () => {
  expect(() => consumer(10)).toThrow(new RangeError("message 10 of 10"));
});
