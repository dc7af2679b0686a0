import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import { openWire } from "wire";
import { test } from "./own-host.ts";

const root = join(import.meta.dirname, "../..");

/** A folder with a copy of src/amqp, amqplib and Node's types, and nothing else of this repository. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "copied-out-"));
  cpSync(join(root, "shared/src/amqp"), join(folder, "src"), { recursive: true });
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  for (const [name, from] of [
    ["amqplib", join(root, "shared")],
    ["@types/node", root],
  ] as const)
    symlinkSync(
      realpathSync(join(from, "node_modules", name)),
      join(folder, "node_modules", name),
      "junction",
    );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return () => rmSync(folder, { recursive: true, force: true });
});

function compile(...more: string[]) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const words = ["--module", "nodenext", "--types", "node", "--rewriteRelativeImportExtensions", ...more];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...words, "src/index.ts"], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout };
}

describe("src/amqp, copied out", () => {
  test.for([
    ["without more options", []],
    // Those that are stricter than `strict`, and an old target.
    ["with strict ones", ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]],
    ["with no DOM and an older target", ["--strict", "--target", "es2022", "--lib", "es2023"]],
    ["with types in one file each", ["--strict", "--isolatedModules", "--verbatimModuleSyntax"]],
    ["with declarations", ["--strict", "--declaration"]],
  ] as const)("compiles %s", ([, options]) => {
    expect(compile("--noEmit", ...options)).toEqual({ status: 0, stdout: "" });
  });

  test("prints nothing, never exits and listens to nothing, while its broker goes and comes back", async ({
    ownHost,
    onTestFinished,
  }) => {
    expect(compile("--strict", "--outDir", "dist")).toEqual({ status: 0, stdout: "" });
    const wire = await openWire(ownHost.amqpUrl);
    onTestFinished(() => wire.close());
    const program = join(import.meta.dirname, "programs/service.mjs");
    const service = fork(program, [join(folder, "dist/index.js"), wire.amqpUrl], {
      silent: true,
      execArgv: [],
    });
    onTestFinished(() => void service.kill("SIGKILL"));
    let printed = "";
    for (const stream of [service.stdout, service.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    const reports: Report[] = [];
    service.on("message", (report: Report) => reports.push(report));
    const reported = (expected: Partial<Report>) =>
      expect
        .poll(() => ({ reports, printed, exitCode: service.exitCode }))
        .toMatchObject({ reports: expect.arrayContaining([expect.objectContaining(expected)]) });

    await reported({ step: "open" });
    await reported({ body: "first" });
    await wire.unplug();
    await reported({ level: "warn", message: expect.stringMatching(/^Connection lost/) });
    service.send("the broker is away");
    await reported({ step: "away" });
    await wire.plugIn();
    service.send("the broker is back");
    await reported({ step: "back" });
    await reported({ body: "second" });
    service.send("end");
    const [code, signal] = await once(service, "close");

    expect(printed).toBe("");
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const steps = reports.filter(({ step }) => step !== undefined);
    expect(steps.map(({ step }) => step)).toEqual([
      "started",
      "loaded",
      "refused",
      "open",
      "away",
      "back",
      "closed",
    ]);
    for (const { step, listeners } of steps)
      expect({ step, listeners }).toEqual({ step, listeners: steps[0]?.listeners });
  });
});

/** What the service tells: how far it is, an event of its log, or a message that it has received. */
interface Report {
  step?: string;
  listeners?: Record<string, number>;
  level?: string;
  message?: string;
  body?: string;
}
