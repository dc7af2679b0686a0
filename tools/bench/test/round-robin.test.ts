import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "testkit";
import { describe, expect, onTestFinished, vi } from "vitest";
import { Progress } from "../src/progress.ts";
import type { Result } from "../src/results.ts";
import { roundRobin } from "../src/round-robin/round-robin.ts";
import { run } from "../src/round-robin/run.ts";
import { numbered, Seen } from "../src/seen.ts";
import type { Program } from "../src/worker.ts";

// ms; on a loaded machine five processes take long to start, again and again.
vi.setConfig({ testTimeout: 300_000 });

/** A worker that does as told. */
const program = (lines: string): Program => ({
  file: process.execPath,
  args: ["--eval", `const say = (line) => console.log(JSON.stringify(line)); ${lines}`],
});
const producer = program(`
  say({ event: "ready" });
  process.stdin.once("data", () => say({ event: "done", count: 4, first: 1000, last: 1500 }));
  process.stdin.on("end", () => process.exit());
`);
function consumer(...numbers: number[]): Program {
  const seen = new Seen(4);
  for (const number of numbers) seen.add(numbered(number, 4));
  const done = { event: "done", count: seen.count, last: 3000, ...seen.report() };
  return program(`
    say({ event: "ready" });
    say({ event: "progress", count: ${seen.count} });
    process.stdin.once("data", () => say(${JSON.stringify(done)}));
    process.stdin.on("end", () => process.exit());
  `);
}

describe("a run", () => {
  const running = (consumers: Program[], remaining = 0) =>
    run(
      { producer, consumers, messages: 4, options: {}, patience: 500, remaining: async () => remaining },
      new Progress(),
    );

  test("is measured from the first publish to the last acknowledgement", async () => {
    expect(await running([consumer(0, 2, 2), consumer(1, 2, 3)])).toEqual({
      throughput: 2,
      publishing: 8,
      duplicates: 2,
      leastShare: 2,
    });
  });

  test("fails when a message is missing", async () => {
    await expect(running([consumer(0), consumer(1, 3)])).rejects.toThrow("1 of 4 messages have not arrived.");
    await expect(running([consumer(0, 1), consumer(1, 3)])).rejects.toThrow(
      "1 of 4 messages have not arrived.",
    );
  });

  test("fails when the broker would deliver a message again", async () => {
    await expect(running([consumer(0, 1), consumer(2, 3)], 1)).rejects.toThrow(
      "All have arrived, but the broker would deliver 1 again.",
    );
  });

  test("fails when a consumer does", async () => {
    const failing = program(
      `say({ event: "ready" }); setTimeout(() => { throw new Error("no more") }, 100);`,
    );
    await expect(running([consumer(0, 1), failing])).rejects.toThrow("no more");
  });
});

/** A quick run into a folder of its own. */
async function quickRun(kafkaBrokers: string) {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv("KAFKA_BROKERS", kafkaBrokers);
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.spyOn(console, "log").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  const options = { quick: true, rounds: 1, resume: false, plotOnly: false, with: [], folder };
  const summary = await roundRobin.run(options);
  const lines = readFileSync(join(folder, "results.jsonl"), "utf8").trimEnd().split("\n");
  return { folder, options, summary, results: lines.map((line): Result => JSON.parse(line)) };
}

/** The ways and profiles of results, and what was delivered twice or not shared. */
const outcome = (results: Result[]) =>
  results
    .map(({ way, settings, measured }) => {
      const fair =
        measured.duplicates === 0 && Number(measured.leastShare) > 0 && Number(measured.throughput) > 0;
      return `${way} ${settings.profile}${fair ? "" : ` ${JSON.stringify(measured)}`}`;
    })
    .toSorted();

const rabbitmq = ["durable", "fast", "tuned", "tutorial"].map((profile) => `RabbitMQ ${profile}`);

test("without Kafka, RabbitMQ is measured, and what is missing is said", async () => {
  const { folder, options, summary, results } = await quickRun("127.0.0.1:1");
  expect(outcome(results)).toEqual(rabbitmq);
  expect(summary).toMatch(
    /^durable, 100 bytes: RabbitMQ [\d,]+\/s; No Kafka here, and none could be started/,
  );
  const page = () => readFileSync(join(folder, "index.html"), "utf8");
  expect(page()).toContain("KAFKA_BROKERS: 127.0.0.1:1 didn&#39;t answer within 5 s");

  const drawn = ["throughput-100.svg", "throughput-100.png", "index.html", "figures.md"];
  for (const file of drawn) rmSync(join(folder, file));
  await roundRobin.run({ ...options, plotOnly: true });
  expect(drawn.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
});
