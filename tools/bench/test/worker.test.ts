import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { typescript } from "../src/engine/programs.ts";
import { type Program, startWorker } from "../src/engine/worker.ts";

const start = (program: Program, options = {}) => {
  const worker = startWorker(program, options);
  onTestFinished(() => worker.kill());
  return worker;
};
const echo = (options: object = {}) => typescript("../../test/programs/worker.ts", "echo", options);
const shown = (script: string): Program => ({ file: process.execPath, args: ["--eval", script] });
const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe("a worker", () => {
  test("is ready, waits to be told, and reports how far it is and what it has done", async () => {
    const counts: number[] = [];
    const amqpUrl = "amqp://somewhere";
    const worker = start(echo({ some: "option" }), {
      amqpUrl,
      onProgress: (count: number) => counts.push(count),
    });
    await worker.ready;
    expect(counts).toEqual([]);
    worker.go();
    expect(await worker.done).toMatchObject({ role: "echo", options: { some: "option" }, amqpUrl });
    expect(counts.length).toBeGreaterThan(0);
  });

  test("that ends early fails with what it printed", async () => {
    const worker = start(shown('console.error("out of luck"); process.exit(3)'));
    await expect(worker.ready).rejects.toThrow(/ended early \(3\):\nout of luck$/);
    await expect(worker.done).rejects.toThrow("out of luck");
  });

  test("that prints nonsense fails", async () => {
    await expect(start(shown('console.log("hello"); setInterval(() => {}, 1000)')).ready).rejects.toThrow(
      "isn't JSON: hello",
    );
  });

  test("that can't be started fails", async () => {
    await expect(start({ file: "/no/such/program", args: [] }).done).rejects.toThrow("ENOENT");
  });

  test("is killed by its signal", async () => {
    const stopping = new AbortController();
    const worker = start(echo(), { signal: stopping.signal });
    await worker.ready;
    stopping.abort(new Error("told to"));
    await expect(worker.done).rejects.toThrow("told to");
  });

  test("doesn't outlive the process that started it", async () => {
    const parent = spawn(process.execPath, ["--import", "tsx", "test/programs/parent.ts"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = await once(createInterface({ input: parent.stdout }), "line");
    expect(isGone(Number(pid))).toBe(false);
    parent.kill("SIGKILL");
    await expect.poll(() => isGone(Number(pid))).toBe(true);
  });
});
