import { expect, test } from "vitest";
import { mutate, mutationsOf } from "../src/mutations.ts";
import { evenly } from "../src/run.ts";

const all = (source: string) =>
  mutationsOf("a.ts", source).map((mutation) => [mutation.what, mutate(source, mutation)]);

test.each([
  ["channel.ack(message);", [["removes a statement", ";"]]],
  [
    "await closed(a);",
    [
      ["removes a statement", ";"],
      ["drops an await", "closed(a);"],
    ],
  ],
  ["if (open) stop;", [["negates a condition", "if (!(open)) stop;"]]],
  [
    "const a = b < 1 && c;",
    [
      ["changes a number", "const a = b < 2 && c;"],
      ["turns < round", "const a = b >= 1 && c;"],
      ["turns && round", "const a = b < 1 || c;"],
    ],
  ],
  ["const a = f(x, y);", [["swaps two arguments", "const a = f(y, x);"]]],
  ["const a = { durable: true };", [["turns a boolean round", "const a = { durable: false };"]]],
  ['const a = "key";', [["changes a string", 'const a = "";']]],
])("%s", (source, expected) => {
  expect(all(source).toSorted()).toEqual(expected.toSorted());
});

test.each([
  'import { a } from "b";',
  'type A = "b" | 1;',
  "let a: 1 | 2;",
  'interface A { b: "c" }',
  "const a = Math.max(b, c);",
  "// 1",
])("leaves alone: %s", (source) => {
  expect(all(source)).toEqual([]);
});

test("tells the line, and refuses what it can't parse", () => {
  expect(mutationsOf("a.ts", "\n\nf();")).toMatchObject([{ line: 3 }]);
  expect(() => mutationsOf("a.ts", "if (")).toThrow(SyntaxError);
});

test("spreads what it tries over all", () => {
  expect(evenly([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).toEqual([0, 3, 6]);
  expect(evenly([0, 1], 3)).toEqual([0, 1]);
});
