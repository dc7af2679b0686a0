import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs a program to its end. */
async function run(file: string, args: string[], cwd = root) {
  const { PNPM_BY_NPX: _, ...env } = process.env;
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, stdout, stderr };
}

test("a package's name that is wrong is an error", async () => {
  const { code, stdout } = await run("pnpm", ["--filter", "topic", "sub", "kern.*"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^No projects matched the filters/);
});

describe.skipIf(process.platform === "win32")("a checkout below a folder named", () => {
  test.each(["C#", "100%", "what?", "a:b", "a\nb"])("%j is turned down in a line", async (name) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "checkout-")));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const checkout = join(folder, name);
    mkdirSync(join(checkout, "tools"), { recursive: true });
    for (const file of ["package.json", "tools/setup.mjs"]) cpSync(join(root, file), join(checkout, file));
    for (const command of ["test", "tour"]) {
      const { code, stdout, stderr } = await run("node", ["tools/setup.mjs", command], checkout);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(
        /^Some programs here do not run below a folder with "[^"]+" in its name\. Move "[^\n]*"\.\n$/,
      );
    }
  });
});

test("a run that executes no test is a failure", async () => {
  // The root of the workspace is a package that turbo knows, and has no tests of its own.
  const cli = ["--import", "tsx", "tools/testkit/src/cli.ts"];
  const { code, stdout } = await run(process.execPath, [...cli, "//"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/\nFAILED \/\/: it has no tests\n\n0 passed, 1 failed, 0 skipped\n$/);
});
