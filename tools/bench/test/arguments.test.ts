import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readArguments } from "../src/engine/arguments.ts";
import type { Report } from "../src/report/report.ts";

const benchmark = (name: string, extras?: string[]) => ({
  name,
  summary: "",
  ...(extras && { extras }),
  prepare: async () => ({ ways: [] }),
  report: () => ({}) as Report,
});
const benchmarks = [benchmark("one"), benchmark("two", ["c", "pika"])];
const read = (line: string) => readArguments(line.split(" ").filter(Boolean), benchmarks);

describe("arguments", () => {
  test("choose a benchmark, and how it runs", () => {
    expect(read("one")).toEqual({
      chosen: [benchmarks[0]],
      options: { quick: false, rounds: undefined, resume: false, plotOnly: false, with: [] },
    });
    expect(read("--quick two --rounds 12 --resume --with c,pika")).toEqual({
      chosen: [benchmarks[1]],
      options: { quick: true, rounds: 12, resume: true, plotOnly: false, with: ["c", "pika"] },
    });
    expect(read("one --plot-only")).toMatchObject({ options: { plotOnly: true } });
    expect(read("all --with pika")).toMatchObject({ chosen: benchmarks, options: { with: ["pika"] } });
  });

  test.each([
    ["", "Which benchmark? There are: one, two, all."],
    ["three", 'There is no benchmark "three". There are: one, two, all.'],
    ["one two", "One benchmark at a time, or all."],
    ["one --fast", "Unknown option `--fast`"],
    ["one --rounds 0", "--rounds takes a whole number from 1 to 1000, not"],
    ["one --rounds 1001", "--rounds takes a whole number from 1 to 1000, not"],
    ["one --rounds 2.5", "--rounds takes a whole number from 1 to 1000, not"],
    ["one --plot-only --resume", "it goes with neither --resume nor --rounds."],
    ["one --plot-only --rounds 2", "it goes with neither --resume nor --rounds."],
    ["one --with c", 'one knows no "c" to be measured with.'],
    ["two --with c,java", 'two knows no "java" to be measured with.'],
  ])('"%s" is refused', (line, reason) => {
    const complained = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => complained.mockRestore());
    expect(read(line)).toBe(2);
    expect(complained).toHaveBeenCalledWith(expect.stringContaining(reason));
  });
});
