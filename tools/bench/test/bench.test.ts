import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Management } from "broker";
import { test } from "testkit";
import { describe, expect, onTestFinished, vi } from "vitest";
import { roundRobin } from "../src/benchmarks/round-robin.ts";

// Each benchmark is run by `pnpm bench all --quick`, which is a step of its own in CI.

/** ms; a bound for what starts one program after another. */
const started = 120_000;
vi.setConfig({ testTimeout: 240_000 });

/** Those that benchmarks have made. Other tests' go when they end, so what stays is this one's. */
async function virtualHosts(management: Management): Promise<string[]> {
  const all = await management<{ name: string }[]>("GET", "/vhosts");
  return all.map(({ name }) => name).filter((name) => name.startsWith("bench-"));
}

describe("bench confirms", () => {
  const folder = fileURLToPath(new URL("../../../results/bench/quick/confirms/", import.meta.url));
  const ways = () =>
    readFileSync(join(folder, "results.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { way, settings } = JSON.parse(line);
        return `${way} ${settings.unconfirmed} ${settings.queue}`;
      });

  test("ends by Ctrl-C, and keeps what it has measured", async ({ management, run }) => {
    const bench = run("bench", "confirms", "--quick");
    await bench.printed(/^confirms: round 1 of 1: batches, 10 unconfirmed, classic/, { within: started });
    bench.press("^C");
    expect(await bench.exit).toEqual({ code: 130, signal: null });
    expect(ways()).toEqual(expect.arrayContaining(["individually 1 quorum"]));
    expect(ways().length).toBeLessThan(14);
    await expect.poll(() => virtualHosts(management)).toEqual([]);
  });

  test("measures each way, and writes the report", async ({ run }) => {
    const bench = run("bench", "confirms", "--quick");
    expect(await bench.exit).toEqual({ code: 0, signal: null });
    const expected = [
      "individually 1",
      ...["batches", "windows"].flatMap((way) => [10, 100, 1000].map((limit) => `${way} ${limit}`)),
    ].flatMap((way) => [`${way} classic`, `${way} quorum`]);
    expect(ways().sort()).toEqual(expected.sort());
    expect(bench.lines.at(-1)).toMatch(/^Report: .*results\/bench\/quick\/confirms\/README\.md$/);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("# Publisher confirms");
  });
});

test("a Kafka that doesn't answer is an error, after RabbitMQ has been measured", async ({
  runWith,
  virtualHost,
}) => {
  const options = { amqpUrl: virtualHost.amqpUrl, env: { KAFKA_BROKERS: "127.0.0.1:1" } };
  const bench = runWith(options, "bench", "round-robin", "--quick");
  expect(await bench.exit).toEqual({ code: 1, signal: null });
  const folder = fileURLToPath(new URL("../../../results/bench/quick/round-robin/", import.meta.url));
  const page = readFileSync(join(folder, "README.md"), "utf8");
  expect(page).toContain("KAFKA_BROKERS: 127.0.0.1:1 didn't answer within 5 s");
  const results = readFileSync(join(folder, "results.jsonl"), "utf8").trimEnd().split("\n");
  const measured = results.map((line) => JSON.parse(line));
  const fair = measured.filter(({ measured }) => measured.duplicates === 0 && measured.leastShare > 0);
  expect(fair.map(({ settings }) => settings.profile).sort()).toEqual([
    "durable",
    "fast",
    "tuned",
    "tutorial",
  ]);
});

test("without Kafka, and without anything to start it with, RabbitMQ's ways are left", async () => {
  const variables = { BROKER: "native", KAFKA_BROKERS: "", JAVA_HOME: "/nowhere" };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const context = {
    amqpUrl: "amqp://unused",
    signal: AbortSignal.any([]),
    managementUrl: "",
    say: () => {},
    quick: true,
    with: [],
  };
  const { ways, missing } = await roundRobin.prepare(context);
  expect(ways.map(({ settings }) => settings.profile)).toEqual(["tutorial", "tuned", "durable", "fast"]);
  expect(missing?.join()).toContain("Java is not installed: 17 or newer is needed");
});

test("wrong arguments are answered with the right ones", async ({ run }) => {
  const bench = run("bench", "nothing");
  expect(await bench.exit).toEqual({ code: 2, signal: null });
  expect(bench.errors[0]).toMatch(/^There is no benchmark "nothing"\. There are: round-robin, /);
  expect(bench.errors.join("\n")).toContain("Usage: pnpm bench <benchmark> [--quick]");
});

test("--help goes to stdout", async ({ run }) => {
  const bench = run("bench", "--help");
  expect(await bench.exit).toEqual({ code: 0, signal: null });
  expect(bench.errors).toEqual([]);
});
