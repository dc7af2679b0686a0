import { expect, test } from "vitest";
import { text } from "../src/amqp/text.ts";

test.each([
  ["plain text stays", "Hello, wörld 👋🏽 漢字", "Hello, wörld 👋🏽 漢字"],
  ["an emoji made with zero-width joiners stays whole", "👩‍🚀", "👩‍🚀"],
  ["line breaks and tabs", "a\nb\r\nc\td", "a\\nb\\r\\nc\\td"],
  ["escape sequences", "\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"],
  ["C1 controls", "\u009b31m", "\\x9b31m"],
  ["bidirectional overrides and line separators", "\u202eabc\u2028", "\\u202eabc\\u2028"],
  ["invisible characters beyond the basic plane", "\u{e0041}", "\\u{e0041}"],
])("%s", (_, raw, safe) => {
  expect(text(raw)).toBe(safe);
  expect(text(Buffer.from(raw))).toBe(safe);
});

test("bytes that are not UTF-8 become replacement characters", () => {
  expect(text(Buffer.from([0x61, 0xff, 0x62]))).toBe("a\ufffdb");
});
