import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readResults } from "../src/results.ts";

/** Runs tests with Vitest, each at most twice, and reads its report. */
async function resultsOf(source: string) {
  // Below this package, so that the file finds Vitest.
  const folder = mkdtempSync(join(import.meta.dirname, "../results-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "test"));
  writeFileSync(join(folder, "vitest.config.mjs"), "export default { test: { include: ['test/*.ts'] } };");
  writeFileSync(join(folder, "test/of.test.ts"), `import { expect, test } from "vitest";\n${source}`);
  const report = join(folder, "tests.json");
  const words = ["exec", "vitest", "run", "--root", folder, "--retry=1"];
  await once(spawn("pnpm", [...words, "--reporter=json", `--outputFile=${report}`]), "exit");
  return readResults(report);
}

test("a test that passes when it is tried again is one that passed, and is named", async () => {
  const { passed, skipped, failures, unstable } = await resultsOf(`
    let times = 0;
    test("the second time", () => expect(++times).toBe(2));
    test("at once", () => {});
    test.skip("not at all", () => {});
    test("never", () => expect("that").toBe("this"));
    test("too late", { timeout: 50 }, () => new Promise(() => {}));
  `);
  expect({ passed, skipped }).toEqual({ passed: 2, skipped: 1 });
  expect(unstable).toEqual([expect.stringMatching(/^the second time\nAssertionError: expected 1 to be 2/)]);
  expect(failures).toEqual([
    expect.stringMatching(/^never\nAssertionError: expected 'that' to be 'this'/),
    "too late\nIt took longer than its timeout.\nIt took longer than its timeout.",
  ]);
});

test("a file that can't be run is a failure", async () => {
  const { passed, failures } = await resultsOf(`throw new Error("no file");`);
  expect(passed).toBe(0);
  expect(failures).toEqual([expect.stringContaining("no file")]);
});

test("where no test ran, that is a failure", () => {
  expect(readResults("no-such-file.json")).toEqual({
    passed: 0,
    skipped: 0,
    failures: ["no test ran"],
    unstable: [],
  });
});
