import { expect, test } from "vitest";
import type { Cell } from "../src/matrix.ts";
import { type InteropResults, isWell, report } from "../src/report.ts";

const cell = (...failures: [number, string][]): Cell => ({ failures: new Map(failures), seen: [] });

const well: InteropResults = {
  names: ["ours", "Go"],
  matrix: [
    [cell(), cell()],
    [cell(), cell()],
  ],
  checks: new Map([["Go", [{ name: "our text is text/plain", failure: undefined }]]]),
  refusals: [{ situation: "hello is a classic queue", sentence: "exists", failure: undefined }],
};

test("shows what works", () => {
  expect(isWell(well)).toBe(true);
  const lines = report(well).split("\n");
  expect(lines).toContain("| **ours** | 1–7      | 1–7    |");
  expect(lines).toContain("| our text is text/plain | yes    |");
  expect(lines).toContain("- hello is a classic queue:");
  expect(lines).not.toContain("Failed:");
});

test("leaves out of a cell what failed, and says why", () => {
  const results = { ...well, matrix: [[cell(), cell([6, "no answer"])], well.matrix[1] ?? []] };
  expect(isWell(results)).toBe(false);
  const lines = report(results).split("\n");
  expect(lines).toContain("| **ours** | 1–7      | 1–5, 7 |");
  expect(lines).toContain("- Tutorial 6, ours to Go: no answer");
});

test("says once what failed everywhere alike", () => {
  const all = [1, 2, 3, 4, 5, 6, 7].map((number): [number, string] => [number, "exit code 1"]);
  const results = { ...well, matrix: [well.matrix[0] ?? [], [cell(...all), cell(...all)]] };
  const lines = report(results).split("\n");
  expect(lines).toContain("| **Go**   | none     | none   |");
  expect(lines.filter((line) => line.includes("exit code 1"))).toEqual([
    "- Tutorials 1–7, Go to ours, Go: exit code 1",
  ]);
});

test.each<[string, Partial<InteropResults>]>([
  ["a check", { checks: new Map([["Go", [{ name: "a check", failure: "it is not so" }]]]) }],
  ["a refusal", { refusals: [{ situation: "a refusal", sentence: "", failure: "it is not so" }] }],
])("fails for %s that is not so", (name, difference) => {
  const results = { ...well, ...difference };
  expect(isWell(results)).toBe(false);
  expect(report(results)).toMatch(new RegExp(`- (Go, )?${name}: it is not so`));
});

test("lets nothing that a program printed reach the terminal as it is", () => {
  const results = { ...well, matrix: [[cell([1, "\x1b[2J"])]] };
  expect(report(results)).not.toContain("\x1b");
});
