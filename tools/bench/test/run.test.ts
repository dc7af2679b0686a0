import { describe, expect, test } from "vitest";
import { type Sharing, share } from "../src/engine/run.ts";
import { numbered, Seen } from "../src/engine/seen.ts";
import type { Program } from "../src/engine/worker.ts";

/** A worker that runs these lines. */
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
  const done = { event: "done", count: seen.count, first: 2500, last: 3000, ...seen.report() };
  return program(`
    say({ event: "ready" });
    say({ event: "progress", count: ${seen.count} });
    process.stdin.once("data", () => say(${JSON.stringify(done)}));
    process.stdin.on("end", () => process.exit());
  `);
}

describe("a run", () => {
  const running = (consumers: Program[], remaining = 0, more: Partial<Sharing> = { producer }) =>
    share(
      { consumers, messages: 4, patience: 500, remaining: async () => remaining, ...more },
      { amqpUrl: "amqp://unused" },
    );

  test("is measured from the first publish to the last acknowledgement", async () => {
    expect(await running([consumer(0, 2, 2), consumer(1, 2, 3)])).toEqual({
      throughput: 2,
      publishing: 8,
      duplicates: 2,
      leastShare: 2,
    });
  });

  test("without a producer is measured from the first delivery after the warm-up", async () => {
    expect(await running([consumer(0, 1, 2, 3)], 0, { warmUp: 1 })).toEqual({
      throughput: 6,
      duplicates: 0,
      leastShare: 4,
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
