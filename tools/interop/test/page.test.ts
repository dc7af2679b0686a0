import { expect, test } from "vitest";
import { differences } from "../src/page.ts";
import { type InteropResults, report } from "../src/report.ts";

const cell = (...failures: number[]) => ({
  failures: new Map(failures.map((number) => [number, "no answer"] as const)),
  seen: [],
});
const check = (name: string, failure?: string) => ({ name, failure });
const results: InteropResults = {
  names: ["ours", "Go"],
  matrix: [
    [cell(), cell()],
    [cell(), cell(6)],
  ],
  checks: new Map([["Go", [check("our text is text/plain")]]]),
  refusals: [{ situation: "hello is a classic queue", sentence: "exists", failure: undefined }],
};
const page = `# A page\n\n${report(results)}\n`;

test("a page that shows the run has no difference, also with a language that was skipped", () => {
  expect(differences(page, results)).toEqual([]);
  const more: InteropResults = {
    ...results,
    names: ["ours", "Java", "Go"],
    matrix: [
      [cell(), cell(3), cell()],
      [cell(), cell(), cell()],
      [cell(), cell(2), cell(6)],
    ],
    checks: new Map([
      ["Java", [check("our text is text/plain")]],
      ["Go", [check("our text is text/plain")]],
    ]),
  };
  expect(differences(`${report(more)}\n`, results)).toEqual([]);
});

test("a cell that differs", () => {
  const worse = { ...results, matrix: [[cell(), cell(1)], results.matrix[1] ?? []] };
  expect(differences(page, worse)).toEqual(['README.md: **ours**, **Go**: "1–7" there, "2–7" in the run.']);
});

test("a row that one of them lacks", () => {
  const renamed = { ...results, checks: new Map([["Go", [check("our text is UTF-8")]]]) };
  expect(differences(page, renamed)).toEqual([
    "README.md: our text is text/plain: the run has no such row.",
    "README.md lacks the row our text is UTF-8.",
  ]);
});

test("a language that the page lacks", () => {
  const [talk] = differences(page.replaceAll("**Go**", "**C**"), results);
  expect(talk).toBe("README.md has no table with the columns **ours**, **Go**.");
});

test("a sentence that differs", () => {
  const refusals = [{ situation: "hello is a classic queue", sentence: "is there", failure: undefined }];
  expect(differences(page, { ...results, refusals })).toEqual([
    "README.md lacks: hello is a classic queue: is there",
  ]);
});
