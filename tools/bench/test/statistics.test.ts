import { describe, expect, test } from "vitest";
import { measuredBy } from "../src/engine/run.ts";
import { groupBy, ratio, spread, where } from "../src/report/statistics.ts";
import { latencies } from "../src/workers/events.ts";
import { result } from "./results.ts";

describe("statistics", () => {
  const ours = [1, 2, 3].map((round) => result({ round, way: "ours", measured: { rate: round * 10 } }));
  const theirs = [
    result({ round: 3, way: "theirs", measured: { rate: 10 } }),
    result({ round: 1, way: "theirs", measured: { rate: 20 } }),
  ];

  test("the spread of a figure over the rounds that have it", () => {
    expect(spread([...ours, result({ measured: {} })], "rate")).toEqual({
      median: 20,
      least: 10,
      greatest: 30,
      rounds: 3,
    });
    expect(spread(ours, "nothing")).toBeUndefined();
  });

  test("a ratio is taken round by round, of the rounds that both have", () => {
    expect(ratio(ours, theirs, "rate")).toEqual({ median: 1.75, least: 0.5, greatest: 3, rounds: 2 });
    expect(ratio(ours, [], "rate")).toBeUndefined();
  });

  test("results are found by way and settings, and grouped in their order", () => {
    const results = [...ours, ...theirs, result({ way: "ours", settings: { size: 500, queue: "quorum" } })];
    expect(where(results, "ours", { size: 500 })).toEqual([results.at(-1)]);
    expect(where(results, "ours", { size: 500, queue: "classic" })).toEqual([]);
    expect([...groupBy(results, ({ way }) => way).keys()]).toEqual(["ours", "theirs"]);
  });
});

test("latencies are kept to 3 significant digits, in ms", () => {
  const { record, report } = latencies();
  for (let n = 1; n <= 1000; n++) record(n / 10);
  const measured = report();
  const expected = { p50: 50, p99: 99, max: 100 };
  expect(Object.keys(measured)).toEqual(Object.keys(expected));
  for (const [name, ms] of Object.entries(expected))
    expect(Math.abs((measured[name] ?? 0) / ms - 1)).toBeLessThan(0.001);
});

test("a worker's report becomes figures", () => {
  expect(measuredBy({ count: 10, first: 0, last: 20 })).toEqual({ throughput: 500 });
  const done = { count: 500, first: 1_000.5, last: 1_250.5, p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };
  expect(measuredBy(done)).toEqual({ throughput: 2_000, p50: 1, p90: 2, p99: 3, p999: 4, max: 5 });
});
