import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { appendResult, type InterleaveOptions, interleave, readResults } from "../src/engine/results.ts";
import { environment, result } from "./results.ts";

function newFile() {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "deeper", "results.jsonl");
}

describe("the file of results", () => {
  test("keeps each result", () => {
    const path = newFile();
    expect(readResults(path)).toEqual([]);
    appendResult(path, result());
    appendResult(path, result({ round: 2 }));
    expect(readResults(path)).toEqual([result(), result({ round: 2 })]);
  });

  test("survives a last line that was cut, and goes on behind it", () => {
    const path = newFile();
    appendResult(path, result());
    appendFileSync(path, '{"benchmark":"so');
    expect(readResults(path)).toEqual([result()]);
    appendResult(path, result({ round: 2 }));
    expect(readResults(path)).toEqual([result(), result({ round: 2 })]);
  });

  test("refuses a broken line in the middle", () => {
    const path = newFile();
    appendResult(path, result());
    appendFileSync(path, "nonsense\n");
    expect(() => readResults(path)).toThrow("nonsense");
  });
});

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
      resume: false,
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
    expect(readResults(options.file)).toEqual(results);
  });

  test("quick ones all count", async () => {
    const { order, ways, options } = setUp({ quick: true, rounds: 1 });
    expect(await interleave(ways, options)).toHaveLength(3);
    expect(order.join("")).toBe("bca");
  });

  test("are kept when one fails, and gone on with by --resume", async () => {
    const { order, ways, options } = setUp({ quick: true });
    const failing = ways.map((way) =>
      way.way === "c" ? { ...way, run: () => Promise.reject(new Error("no")) } : way,
    );
    await expect(interleave(failing, options)).rejects.toThrow("no");
    expect(order.join("")).toBe("b");

    const resumed = setUp({ quick: true, resume: true, file: options.file });
    expect(await interleave(resumed.ways, resumed.options)).toHaveLength(6);
    expect(resumed.order.join("")).toBe("cacab");

    const complete = setUp({ resume: true, file: options.file });
    expect(await interleave(complete.ways, complete.options)).toHaveLength(6);
    expect(complete.order).toEqual([]);

    const anew = setUp({ quick: true, rounds: 1, file: options.file });
    expect(await interleave(anew.ways, anew.options)).toHaveLength(3);
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

  test("are measured again with other settings", async () => {
    const { order, ways, options } = setUp({ quick: true, rounds: 1 });
    await interleave(ways, options);
    const changed = ways.map((way) => (way.way === "b" ? { ...way, settings: { size: 500 } } : way));
    expect(await interleave(changed, { ...options, resume: true })).toHaveLength(4);
    expect(order.join("")).toBe("bcab");
  });

  test("of another machine or other versions aren't mixed in", async () => {
    const { ways, options } = setUp({ quick: true });
    await interleave(ways, options);
    const newer = { ...environment, versions: { Node: "22" } };
    const other = { ...options, resume: true, environment: newer };
    await expect(interleave(ways, other)).rejects.toThrow("without --resume");
    expect(await interleave(ways, { ...other, resume: false })).toHaveLength(6);
  });
});
