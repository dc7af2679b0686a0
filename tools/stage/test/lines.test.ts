import { expect, test } from "vitest";
import { difference } from "../src/lines.ts";

test.each([
  ["the same lines", ["a", "b"], ["a", "b"]],
  ["… within a line", ["took … ms", "…", "v… of …"], ["took 12 ms", "", "v4 of 5"]],
  ["… for many lines", ["a", "…", "z"], ["a", "b", "c", "z"]],
  ["… for no line", ["a", "…", "z", "…"], ["a", "z"]],
  ["characters that patterns are made of", ["(a|b)* [x] $1…"], ["(a|b)* [x] $1."]],
  ["nothing", [], []],
])("no difference: %s", (_, expected, actual) => {
  expect(difference(expected, actual)).toBeUndefined();
});

test.each([
  ["a changed line", ["a", "b", "c"], ["a", "x", "c"], ["  a", "- b", "+ x", "  c"]],
  ["a missing line", ["a", "b"], ["a"], ["  a", "- b"]],
  ["a line too many", ["a"], ["a", "a"], ["  a", "+ a"]],
  ["an empty line too many", [], [""], ["+ "]],
  ["a space too many", ["a"], ["a "], ["- a", "+ a "]],
  ["another order", ["a", "b"], ["b", "a"], ["- a", "  b", "+ a"]],
  ["part of a line", ["kern"], ["kern.info"], ["- kern", "+ kern.info"]],
  ["the end of a line with …", ["in … ms"], ["within 7 ms"], ["- in … ms", "+ within 7 ms"]],
  ["the beginning of one", ["in … ms"], ["in 7 msec"], ["- in … ms", "+ in 7 msec"]],
  ["what … stands for is no difference", ["in … ms", "b"], ["in 7 ms", "x"], ["  in 7 ms", "- b", "+ x"]],
  ["nor are the lines of …", ["a", "…", "y", "z"], ["a", "1", "2", "z"], ["  a", "  1", "  2", "- y", "  z"]],
])("a difference: %s", (_, expected, actual, shown) => {
  expect(difference(expected, actual)).toEqual(shown);
});
