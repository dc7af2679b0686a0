import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { integer, misfit } from "../src/script/usage.ts";

const lines = "Usage:   arguments [word]... [--count N]\nExample: arguments a b --count 3\n";

function run(...args: string[]) {
  const { npm_package_name: _, ...env } = process.env;
  const program = ["--import", "tsx", "test/programs/arguments.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: "utf8", env });
  return { status, stdout, stderr };
}

test("hands over the words and the options", () => {
  expect(run("a", "b c", "--count", "3")).toMatchObject({
    status: 0,
    stdout: '{"words":["a","b c"],"count":3}\n',
  });
});

test("takes whatever follows -- as words", () => {
  expect(run("--", "--help", "-x")).toMatchObject({ stdout: '{"words":["--help","-x"],"count":1}\n' });
});

test("takes a negative number for what it is, not for an option", () => {
  expect(run("-1", "a", "-20", "--count", "7")).toMatchObject({
    stdout: '{"words":["-1","a","-20"],"count":7}\n',
  });
  expect(run("--count", "-3").stderr).toBe(`--count takes a whole number from 1 up.\n${lines}`);
});

test.each(["--help", "-h"])("%s prints the usage on stdout", (option) => {
  expect(run("a", option)).toEqual({ status: 0, stdout: lines, stderr: "" });
});

test("an unknown option prints it on stderr, with the reason", () => {
  expect(run("--colour")).toEqual({ status: 2, stdout: "", stderr: `Unknown option '--colour'.\n${lines}` });
});

test("so does an option that lacks its value, and what the script itself refuses", () => {
  expect(run("--count")).toMatchObject({ status: 2, stderr: expect.stringContaining(lines) });
  expect(run("--count", "many").stderr).toBe(`--count takes a whole number from 1 up.\n${lines}`);
});

test.each([
  ["0", 0, 0],
  ["42", 1, 42],
  ["-3", -5, -3],
  ["9007199254740991", 0, 9007199254740991],
  ["9007199254740992", 0, undefined],
  ["0", 1, undefined],
  ["-1", 0, undefined],
  ["1.5", 0, undefined],
  ["1e3", 0, undefined],
  ["", 0, undefined],
  [" 1", 0, undefined],
])("integer(%j, %d) is %j", (word, least, number) => {
  expect(integer(word, least)).toBe(number);
});

test.each([
  ["receive", ["x"], "receive takes no arguments."],
  ["worker [--fail-on word]", ["x"], "worker takes no arguments but its options."],
  ["client [n]", ["1", "2"], "client takes 1 argument at most."],
  ["chat <you> <partner>", ["Jean"], "chat needs a <partner>."],
  ["chat <you> <partner>", ["a", "b", "c"], "chat takes 2 arguments at most."],
  ["sub <pattern>...", [], "sub needs at least one <pattern>."],
  ["sub <pattern>...", ["a", "é".repeat(128)], "A pattern has at most 255 bytes."],
  ["pub [routing key] [text...]", ["k".repeat(256), "text"], "A routing key has at most 255 bytes."],
])("%s refuses %j", (synopsis, words, reason) => {
  expect(misfit(synopsis, words)).toBe(reason);
});

test.each([
  ["send [text...]", []],
  ["send [text...]", ["a", "b"]],
  ["pub [routing key] [text...]", ["k".repeat(255), "t".repeat(256)]],
  ["send [--as <user>] [--trust <authority>] [text...]", ["a", "b"]],
  ["pub [individual|batch|async]... [--count N]", ["batch", "async"]],
])("%s takes %j", (synopsis, words) => {
  expect(misfit(synopsis, words)).toBeUndefined();
});
