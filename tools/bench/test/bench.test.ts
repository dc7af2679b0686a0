import { test } from "testkit";
import { describe, expect } from "vitest";
import { compare, median } from "../src/rounds.ts";

describe("rounds", () => {
  test("are taken in turns, and the first doesn't count", async () => {
    const order: string[] = [];
    const way = (name: string, results: number[]) => async () => {
      order.push(name);
      return results.shift() ?? 0;
    };
    const done: number[] = [];
    const ours = way("ours", [999, 10, 30, 20]);
    const theirs = way("theirs", [1, 10, 10, 10]);
    expect(await compare(ours, theirs, 3, (round) => done.push(round))).toEqual({
      ours: 20,
      theirs: 10,
      ratio: { median: 2, least: 1, greatest: 3 },
    });
    expect(order).toEqual(["ours", "theirs", "theirs", "ours", "ours", "theirs", "theirs", "ours"]);
    expect(done).toEqual([0, 1, 2, 3]);
  });

  test("median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

test("bench helper prints machine, versions and four comparisons", async ({ broker, run }) => {
  const bench = run("bench", "helper", "--quick");
  expect(await bench.exit).toEqual({ code: 0, signal: null });
  const printed = bench.lines.filter((line) => !bench.errors.includes(line)).join("\n");
  expect(printed).toContain(`Versions: Node ${process.versions.node}, amqplib `);
  expect(printed).toContain(`RabbitMQ ${broker.version}`);
  for (const what of ["produce", "consume", "rpc", "send"])
    expect(printed).toMatch(new RegExp(`^${what}: .+\\n  [\\d,.]+(/s| ms) .*: [\\d,.]+(/s| ms) .*×`, "m"));
});

test("Ctrl-C ends a benchmark and what it has started", async ({ management, run }) => {
  const bench = run("bench", "helper", "--quick");
  await bench.printed(/^Publishing: round 0/);
  bench.press("^C");
  expect(await bench.exit).toEqual({ code: 130, signal: null });
  const virtualHosts = await management<{ name: string }[]>("GET", "/vhosts");
  expect(virtualHosts.filter(({ name }) => name.startsWith("bench-"))).toEqual([]);
});

test("says what is right when the arguments are wrong", async ({ run }) => {
  for (const args of [[], ["nothing"], ["helper", "more"], ["helper", "--fast"]]) {
    const bench = run("bench", ...args);
    expect(await bench.exit).toEqual({ code: 2, signal: null });
    expect(bench.errors).toContain("Usage:   pnpm bench <benchmark> [--quick]");
  }
  const bench = run("bench", "--help");
  expect(await bench.exit).toEqual({ code: 0, signal: null });
  expect(bench.errors).toEqual([]);
});
