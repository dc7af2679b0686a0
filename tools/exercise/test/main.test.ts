import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newLearner } from "./learner.ts";

test("without a terminal, it makes the copy, checks it once and prints the result", async () => {
  const learner = newLearner();
  const missed = await learner.run("topics-1");
  expect(missed.code).toBe(1);
  expect(missed.stdout).toMatch(
    /^Your copy to change: exercises\/mine\/topics-1\/src\/sub\.ts\n✗ 1\.2 {3}topics-1 {2}The subscriber of kern did not get .*\n$/,
  );
  learner.edit("topics-1/src/sub.ts", ".*`", ".#`");
  // A number does for a name.
  const solved = await learner.run("1.2");
  expect(solved).toMatchObject({ code: 0, stdout: "✓ 1.2   topics-1  All that a facility logs\n" });
});

test("--check checks all copies and counts", async () => {
  const learner = newLearner();
  expect(await learner.run("--check")).toEqual({
    code: 1,
    stdout: "· 1.1   work-queues-1  not begun\n· 1.2   topics-1       not begun\n0 of 2 solved\n",
    stderr: "",
  });
  await learner.run("topics-1");
  learner.edit("topics-1/src/sub.ts", ".*`", ".#`");
  expect(await learner.run("--check")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^· 1\.1 .* not begun\n✓ 1\.2 .*\n1 of 2 solved\n$/),
  });
  expect(await learner.run("--check", "topics-1")).toMatchObject({ code: 0 });
});

test("--list shows all with what is solved, --reset begins again", async () => {
  const learner = newLearner();
  await learner.run("topics-1");
  learner.edit("topics-1/src/sub.ts", ".*`", ".#`");
  await learner.run("topics-1");
  const list = async () => (await learner.run("--list")).stdout.split("\n");
  expect(await list()).toEqual([
    "1. Basics",
    "  1.1   work-queues-1  A worker dies, and its task with it",
    "✓ 1.2   topics-1       All that a facility logs",
    "1 of 2 solved",
    "",
  ]);
  expect(await learner.run("--reset", "topics-1")).toMatchObject({
    code: 0,
    stdout: "topics-1 begins again. What you wrote is in exercises/mine/topics-1.1 now.\n",
  });
  expect((await list()).at(-2)).toBe("0 of 2 solved");
  expect(readdirSync(join(learner.root, "exercises/mine"))).not.toContain("topics-1");
});

test.each([
  ["a name that is nearly right", ["topic-1"], /^There is no exercise "topic-1"\. Did you mean topics-1\? /],
  ["a control character", ["\x1b[2J"], /^There is no exercise "\\x1b\[2J"\. /],
  ["an unknown option", ["--checks"], /^Unknown option `--checks`\nUsage: pnpm exercise /],
  ["two at a time", ["topics-1", "work-queues-1"], /^One exercise at a time\.\nUsage: /],
  ["nothing to reset", ["--reset"], /value is missing\nUsage: /],
])("%s is turned down", async (_, words, reason) => {
  const { code, stdout, stderr } = await newLearner().run(...words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(reason);
});

test("--help", async () => {
  const { code, stdout } = await newLearner().run("--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/--check[\s\S]*--list[\s\S]*--reset/);
});
