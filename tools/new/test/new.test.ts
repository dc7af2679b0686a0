import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

function run(cwd: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
    shell: process.platform === "win32",
  });
  return { status, stdout, stderr, output: stdout + stderr };
}

const pnpmNew = (cwd: string, ...args: string[]) =>
  run(cwd, process.execPath, ["--import", "tsx", "tools/new/src/cli.ts", ...args]);

describe("refuses in a line, and writes nothing:", () => {
  test.each([
    ["no name", [], 2, /^Which pattern\?\nUsage: pnpm new <pattern> \[--help\]$/],
    ["two names", ["saga", "outbox"], 2, /^One pattern at a time\.\nUsage: /],
    ["capital letters", ["Saga"], 1, /^"Saga" can't be a pattern's name: .*$/],
    ["a folder elsewhere", ["../saga"], 1, /^"\.\.\/saga" can't be a pattern's name: .*$/],
    ["a hyphen too many", ["saga-"], 1, /^"saga-" can't be a pattern's name: .*$/],
    ["control characters", ["\x1b[2J"], 1, /^"\\u001b\[2J" can't be a pattern's name: .*$/],
    ["a name that is too long", ["s".repeat(41)], 1, /can't be a pattern's name/],
    ["an example that exists", ["topics"], 1, /^examples\/topics exists already\.$/],
    ["a tool's name", ["stage"], 1, /^A package with the name stage exists already\.$/],
    ["the name of shared", ["shared"], 1, /^A package with the name shared exists already\.$/],
    ["a library's name", ["amqplib"], 1, /^A package with the name amqplib exists already\.$/],
  ])("%s", (_, args, status, message) => {
    const before = readdirSync(join(root, "examples"));
    const { stdout, stderr, ...result } = pnpmNew(root, ...args);
    expect(stderr.trimEnd()).toMatch(message);
    expect(stdout).toBe("");
    expect(result.status).toBe(status);
    expect(readdirSync(join(root, "examples"))).toEqual(before);
  });
});

test("--help: the usage, on stdout", () => {
  expect(pnpmNew(root, "--help")).toMatchObject({
    status: 0,
    stderr: "",
    stdout: expect.stringMatching(/^Usage: pnpm new <pattern> /),
  });
});

describe("in a copy of the repository", () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "new-"));
    // Nor what the tests of other packages make and delete meanwhile.
    const left =
      /^(node_modules|\.git|\.turbo|results|results-\w+|built|mine|logins|orders|certificates(-\w+)?)$/;
    cpSync(root, copy, { recursive: true, filter: (path) => !left.test(basename(path)) });
    const { status, output } = run(copy, "pnpm", ["install", "--frozen-lockfile", "--prefer-offline"]);
    expect({ status, output }).toMatchObject({ status: 0 });
    return () => rmSync(copy, { recursive: true, force: true });
  });

  // A stand-in for pnpm is a shell script.
  test.skipIf(process.platform === "win32")("leaves nothing behind when pnpm fails", () => {
    const folder = mkdtempSync(join(tmpdir(), "new-"));
    writeFileSync(join(folder, "pnpm"), "#!/bin/sh\necho no network >&2\nexit 1\n", { mode: 0o755 });
    const path = `${folder}${delimiter}${process.env.PATH}`;
    const cli = ["--import", "tsx", "tools/new/src/cli.ts", "order-events"];
    const { status, stderr } = run(copy, process.execPath, cli, { PATH: path });
    rmSync(folder, { recursive: true });
    expect(stderr).toMatch(/^pnpm .* failed\. no network\n$/);
    expect(status).toBe(1);
    expect(existsSync(join(copy, "examples/order-events"))).toBe(false);
  });

  test("writes an example that passes its test and the check, with the lockfile up to date", {
    // ms; a bound for a loaded machine: it installs, plays a page, and checks the whole repository
    timeout: 600_000,
  }, () => {
    const made = run(copy, "pnpm", ["new", "order-events"]);
    expect(made.output).toContain("examples/order-events is there");
    expect(made.status).toBe(0);
    expect(readFileSync(join(copy, "examples/order-events/src/topology.ts"), "utf8")).toContain(
      "function declareOrderEvents(",
    );

    const tested = run(copy, "pnpm", ["--filter", "order-events", "test"]);
    expect({ ...tested, stdout: "" }).toMatchObject({ status: 0 });
    const results = JSON.parse(readFileSync(join(copy, "examples/order-events/results/tests.json"), "utf8"));
    expect(results).toMatchObject({ success: true, numFailedTests: 0 });
    const titles = results.testResults[0].assertionResults.map(({ title }: { title: string }) => title);
    expect(titles).toContain("the diagram shows what the broker holds");

    const installed = run(copy, "pnpm", ["install", "--frozen-lockfile", "--prefer-offline"]);
    expect(installed).toMatchObject({ status: 0 });
    const checked = run(copy, "pnpm", ["check"]);
    expect(checked.output).not.toContain("Failed");
    expect(checked.status).toBe(0);
  });
});
