import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type InterleaveOptions, interleave } from "../src/engine/results.ts";
import { environment } from "./results.ts";

function newFile() {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "deeper", "results.jsonl");
}

const readLines = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("rounds of several ways", () => {
  function setUp(more: Partial<InterleaveOptions> = {}) {
    const order: string[] = [];
    const way = (name: string) => ({
      way: name,
      settings: { size: 100 },
      run: async () => {
        order.push(name);
        return { rate: order.length };
      },
    });
    const options = {
      benchmark: "some",
      rounds: 2,
      file: newFile(),
      say: () => {},
      environment,
      ...more,
    };
    return { order, ways: ["a", "b", "c"].map(way), options };
  }

  test("each starts with another way, after one that doesn't count", async () => {
    const { order, ways, options } = setUp();
    const results = await interleave(ways, options);
    expect(order.join("")).toBe("abcbcacab");
    expect(results.map(({ round, way }) => `${round}${way}`)).toEqual(["1b", "1c", "1a", "2c", "2a", "2b"]);
    expect(results[0]?.measured).toEqual({ rate: 4 });
    expect(readLines(options.file)).toEqual(results);
  });

  test("quick ones all count", async () => {
    const { order, ways, options } = setUp({ quick: true, rounds: 1 });
    expect(await interleave(ways, options)).toHaveLength(3);
    expect(order.join("")).toBe("bca");
  });

  test("are kept when one fails, until the next time", async () => {
    const { order, ways, options } = setUp({ quick: true });
    const failing = ways.map((way) =>
      way.way === "c" ? { ...way, run: () => Promise.reject(new Error("no")) } : way,
    );
    await expect(interleave(failing, options)).rejects.toThrow("no");
    expect(order.join("")).toBe("b");
    expect(readLines(options.file)).toMatchObject([{ way: "b" }]);
    expect(readLines(options.file)).toHaveLength(1);
    await interleave(ways, { ...options, rounds: 1 });
    expect(readLines(options.file)).toHaveLength(3);
  });

  test("stop when they are told to", async () => {
    const stopping = new AbortController();
    const { order, ways, options } = setUp({ signal: stopping.signal });
    ways.push({
      ...(ways[0] as (typeof ways)[0]),
      way: "last",
      run: async () => {
        stopping.abort(new Error("told"));
        return { rate: 0 };
      },
    });
    await expect(interleave(ways, options)).rejects.toThrow("told");
    expect(order.join("")).toBe("abc");
  });
});
