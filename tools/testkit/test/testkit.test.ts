import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startBroker } from "broker";
import { beforeAll, describe, expect, test } from "vitest";

interface Result {
  ancestorTitles: string[];
  title: string;
  status: "passed" | "failed" | "skipped";
  failureMessages: string[];
}

const folder = join(import.meta.dirname, "fixture");
let output: string;
let results: Result[];

// A package whose tests fail where its scripts and pages have faults, tested as any other.
beforeAll(async () => {
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  rmSync(join(folder, "results"), { recursive: true, force: true });
  // Its tests fail, and so does Vitest.
  const failure = await promisify(execFile)(process.execPath, [vitest, "run"], { cwd: folder }).catch(
    (it) => it,
  );
  output = failure.stdout;
  const report = JSON.parse(readFileSync(join(folder, "results/tests.json"), "utf8"));
  results = report.testResults.flatMap(
    ({ assertionResults }: { assertionResults: Result[] }) => assertionResults,
  );
}, 600_000);

const of = (group: string) => results.filter(({ ancestorTitles }) => ancestorTitles[0] === group);
const failed = (group: string) => of(group).filter(({ status }) => status === "failed");
const titles = (list: Result[]) => list.map(({ title }) => title);

describe("scenarios", () => {
  test("a page that is right passes: each scenario, and the diagram", () => {
    expect(failed("good")).toEqual([]);
    expect(titles(of("good"))).toEqual(["Run it", "Break it", "the diagram shows what the broker holds"]);
  });

  test("a changed line fails its scenario, and shows the difference", () => {
    expect(titles(failed("changed-line"))).toEqual(["Run it"]);
    expect(failed("changed-line")[0]?.failureMessages[0]).toMatch(
      /README\.md:10 .*\n {2}\$ cd tools.*\n- {2}\[\*\] Wating\n\+ {2}\[\*\] Waiting\n/,
    );
  });

  test("a line that the page leaves out fails its scenario", () => {
    expect(titles(failed("missing-line"))).toEqual(["Break it"]);
    expect(failed("missing-line")[0]?.failureMessages[0]).toContain("\n+ Usage:   pnpm");
  });

  test("a diagram with another key fails", () => {
    expect(titles(failed("other-key"))).toEqual(["the diagram shows what the broker holds"]);
  });
});

describe("manners", () => {
  const refusals = [
    "no broker: prints what was tried and what to do, without the password",
    "what it declares exists already, and is different",
  ];
  const help = [
    "--help: the usage, on stdout",
    "wrong arguments: none",
    "wrong arguments: a.* --no-such-option",
  ];
  const staying = ["Ctrl-C ends it well", "the broker goes away for good: a line, and no more"];

  test("a script that has them passes all", () => {
    expect(failed("none")).toEqual([]);
    expect(titles(of("none")).toSorted()).toEqual([...refusals, ...help, ...staying].toSorted());
  });

  test.each([
    ["shows a stack", "with-stack", refusals],
    ["says too much", "talkative", refusals],
    ["repeats its AMQP_URL", "leaking", refusals],
    ["says it on stdout", "misplaced", refusals],
    ["exits with 0", "content", refusals],
    ["doesn't say its usage", "unhelpful", help],
    ["ends badly on Ctrl-C, or doesn't say that the broker is gone", "staying", staying],
  ])("a script that %s fails, and no other test does", (_, group, expected) => {
    expect(titles(failed(group))).toEqual(expected);
  });
});

describe("fixtures", () => {
  test("do what they say", () => {
    expect(failed("fixtures")).toEqual([]);
    expect(of("fixtures")).toHaveLength(5);
  });

  test("the virtual host is gone after its file", async () => {
    const name = /virtual host (\S+)/.exec(output)?.[1];
    const broker = await startBroker();
    await expect(broker.management("GET", `/vhosts/${name}`)).rejects.toThrow("404");
  });
});
