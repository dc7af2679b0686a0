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
const benchmarks = [benchmark("one"), benchmark("two", ["c", "corked"])];
const read = (line: string) => readArguments(line.split(" ").filter(Boolean), benchmarks);

describe("arguments", () => {
  test("choose a benchmark, and how it runs", () => {
    expect(read("one")).toEqual({
      chosen: [benchmarks[0]],
      options: { quick: false, rounds: undefined, with: [] },
    });
    expect(read("--quick two --rounds 12 --with c,corked")).toEqual({
      chosen: [benchmarks[1]],
      options: { quick: true, rounds: 12, with: ["c", "corked"] },
    });
    expect(read("all --with corked")).toMatchObject({ chosen: benchmarks, options: { with: ["corked"] } });
  });

  test.each([
    ["", "Which benchmark? There are: one, two, all."],
    ["three", 'There is no benchmark "three". There are: one, two, all.'],
    ["one two", "One benchmark at a time, or all."],
    ["one --rounds 0", "--rounds takes a whole number from 1 to 1000, not"],
    ["one --with c", 'one knows no "c" to be measured with.'],
    ["two --with c,java", 'two knows no "java" to be measured with.'],
  ])('"%s" is refused', (line, reason) => {
    const complained = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => complained.mockRestore());
    expect(read(line)).toBe(2);
    expect(complained).toHaveBeenCalledWith(expect.stringContaining(reason));
  });
});
