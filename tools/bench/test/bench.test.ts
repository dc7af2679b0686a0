import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Management } from "broker";
import { test } from "testkit";
import { describe, expect, vi } from "vitest";
import { findNative } from "../src/native.ts";
import { compare, median } from "../src/rounds.ts";

/** Those that benchmarks have made. Other tests' go when they end, so what stays is this one's. */
async function virtualHosts(management: Management): Promise<string[]> {
  const all = await management<{ name: string }[]>("GET", "/vhosts");
  return all.map(({ name }) => name).filter((name) => name.startsWith("bench-"));
}

// All benchmarks are run by `pnpm bench all --quick`, which is a step of its own in CI.

/** ms; a bound for what starts one program after another. */
const started = 120_000;
vi.setConfig({ testTimeout: 240_000 });

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
  await bench.printed(/^Publishing/, { within: started });
  bench.press("^C");
  expect(await bench.exit).toEqual({ code: 130, signal: null });
  await expect.poll(() => virtualHosts(management)).toEqual([]);
});

describe("bench confirms", () => {
  const folder = fileURLToPath(new URL("../../../results/bench/quick/confirms/", import.meta.url));
  const results = () => readFileSync(join(folder, "results.jsonl"), "utf8").trimEnd().split("\n");

  test("keeps what it has measured after Ctrl-C, and goes on from there", async ({ management, run }) => {
    const bench = run("bench", "confirms", "--quick");
    await bench.printed(/^confirms: round 1 of 1: batches, 10 unconfirmed, classic/, { within: started });
    bench.press("^C");
    expect(await bench.exit).toEqual({ code: 130, signal: null });
    const kept = results();
    expect(bench.errors.at(-1)).toContain("--resume");
    await expect.poll(() => virtualHosts(management)).toEqual([]);

    const resumed = run("bench", "confirms", "--quick", "--resume");
    expect(await resumed.exit).toEqual({ code: 0, signal: null });
    expect(results().slice(0, kept.length)).toEqual(kept);
    const ways = results().map((line) => {
      const { way, settings } = JSON.parse(line);
      return `${way} ${settings.unconfirmed} ${settings.queue}`;
    });
    const inC = "missing" in (await findNative()) ? [] : ["windows, in C 1000"];
    const expected = [
      "individually 1",
      ...["batches", "windows"].flatMap((way) => [10, 100, 1000].map((limit) => `${way} ${limit}`)),
      ...inC,
    ].flatMap((way) => [`${way} classic`, `${way} quorum`]);
    expect(ways.sort()).toEqual(expected.sort());
    expect(kept.length).toBeLessThan(expected.length);
  });

  test("draws them again", async ({ run }) => {
    const page = join(folder, "index.html");
    rmSync(page);
    const bench = run("bench", "confirms", "--quick", "--plot-only");
    expect(await bench.exit).toEqual({ code: 0, signal: null });
    expect(bench.lines.at(-1)).toContain(pathToFileURL(page).href);
    expect(readFileSync(page, "utf8")).toContain("Publisher confirms");
  });
});

test("says what is right when the arguments are wrong", async ({ run }) => {
  const bench = run("bench", "nothing");
  expect(await bench.exit).toEqual({ code: 2, signal: null });
  expect(bench.errors[0]).toMatch(/^There is no benchmark "nothing"\. There are: round-robin, /);
  expect(bench.errors.join("\n")).toContain("Usage:   pnpm bench <benchmark> [--quick]");
});

test("says what there is when it is asked", async ({ run }) => {
  const bench = run("bench", "--help");
  expect(await bench.exit).toEqual({ code: 0, signal: null });
  expect(bench.errors).toEqual([]);
});
