import { describe, expect, test } from "vitest";
import { canDie, deathsOf, inWords } from "../src/script/index.ts";

const at = "1970-01-01T00:00:01Z";

/** An entry of x-death. */
const death = (differences: Record<string, unknown> = {}) => ({
  count: 1,
  reason: "expired",
  queue: "orders",
  time: { "!": "timestamp", value: 1 },
  exchange: "",
  "routing-keys": ["orders"],
  ...differences,
});

const told = (headers: Record<string, unknown> | undefined) => deathsOf(headers).map(inWords);

test("tells each reason in words, and how often", () => {
  const deaths = ["rejected", "expired", "maxlen", "delivery_limit"].map((reason) =>
    death({ reason, count: 2 }),
  );
  expect(told({ "x-death": deaths })).toEqual([
    `rejected by a consumer of orders 2 times, last at ${at}`,
    `expired in orders 2 times, last at ${at}`,
    `found no room in orders 2 times, last at ${at}`,
    `delivered too often from orders 2 times, last at ${at}`,
  ]);
});

test("puts the latest first, whatever the order of the entries", () => {
  const deaths = [1, 3, 2].map((value) => death({ queue: `q${value}`, time: { "!": "timestamp", value } }));
  expect(deathsOf({ "x-death": deaths }).map(({ queue }) => queue)).toEqual(["q3", "q2", "q1"]);
});

describe("makes do with", () => {
  for (const [what, headers, expected] of [
    ["no headers", undefined, []],
    ["an x-death that is no list", { "x-death": "text" }, []],
    ["entries that are none", { "x-death": [null, 1, "x", {}, [], { queue: 1, reason: 2 }] }, []],
    [
      "an unknown reason",
      { "x-death": [death({ reason: "constructor" })] },
      [`given up by orders (constructor) at ${at}`],
    ],
    [
      "control characters",
      { "x-death": [death({ reason: "\x07", queue: "\x1b[2J" })] },
      [`given up by \\x1b[2J (\\x07) at ${at}`],
    ],
    ["no time", { "x-death": [{ queue: "q", reason: "maxlen" }] }, ["found no room in q at an unknown time"]],
    [
      "a time beyond all calendars",
      { "x-death": [death({ time: { "!": "timestamp", value: 2 ** 52 } })] },
      ["expired in orders at an unknown time"],
    ],
    ["a count that is none", { "x-death": [death({ count: "many" })] }, [`expired in orders at ${at}`]],
  ] as const)
    test(what, () => {
      expect(told(headers)).toEqual(expected);
    });
});

describe("RabbitMQ 3 can move on a message", () => {
  for (const [what, entries, can] of [
    ["without x-death", undefined, true],
    ["whose x-death is no list", "text", true],
    ["that the broker has written about", [death()], true],
    ["with an entry that is empty", [{}], true],
    ["with an entry that is null", [death(), null], false],
    ["with an entry that is a string", ["text"], false],
    ["with an entry that is a list", [[]], false],
    ["with an entry that is a timestamp", [{ "!": "timestamp", value: 1 }], false],
    ["with a count that is a string", [death({ count: "many" })], false],
  ] as const)
    test(`${what}: ${can ? "yes" : "no"}`, () => {
      expect(canDie({ "x-death": entries })).toBe(can);
    });
});
