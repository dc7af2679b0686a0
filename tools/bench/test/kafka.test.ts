import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "testkit";
import { expect, onTestFinished, vi } from "vitest";
import { startKafka } from "../src/kafka.ts";

// ms; a bound for a loaded machine, where Java takes long to start.
vi.setConfig({ testTimeout: 180_000 });

/** Living processes whose command line or environment holds a text. */
function processesWith(text: string): string[] {
  const withEnvironment = process.platform === "linux" ? "axeww" : "axEww";
  const list = execFileSync("ps", [withEnvironment, "-o", "pid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { PATH: process.env.PATH },
  });
  // A zombie has ended, whenever its parent takes note.
  return list.split("\n").filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line));
}

test("a Kafka of its own is gone when SIGKILL ends its starter", async ({ skip }) => {
  const path = fileURLToPath(new URL("programs/kafka-holder.ts", import.meta.url));
  const starter = spawn(process.execPath, ["--import", "tsx", path], {
    env: { ...process.env, KAFKA_BROKERS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void starter.kill("SIGKILL"));
  let complaint = "";
  starter.stderr.on("data", (chunk) => (complaint += chunk));
  const [port] = await Promise.race([once(starter.stdout, "data"), once(starter, "exit")]);
  if (!(port instanceof Buffer)) {
    expect(complaint).toContain("No Kafka here, and none could be started.");
    skip("no Kafka on this machine");
  }
  const [keeper = ""] = processesWith(`PLAINTEXT://127.0.0.1:${String(port).trim()}`);
  const folder = /"folder":"([^"]+)"/.exec(keeper)?.[1] ?? "";
  expect(existsSync(folder)).toBe(true);
  starter.kill("SIGKILL");
  await vi.waitUntil(() => processesWith(folder).length === 0 && !existsSync(folder), 60_000);
  await expect(fetch(`http://127.0.0.1:${String(port).trim()}`)).rejects.toThrow("fetch failed");
});

test("Ctrl-C ends round-robin and what it has started", async ({ runWith, virtualHost }) => {
  const mark = `BENCH_TEST=${virtualHost.name}`;
  const bench = runWith(
    { env: { BENCH_TEST: virtualHost.name, KAFKA_BROKERS: "127.0.0.1:1" } },
    "bench",
    ...["round-robin", "--quick"],
  );
  await vi.waitUntil(() => processesWith(mark).some((line) => line.includes("amqp-consumer.ts")), 120_000);
  bench.press("^C");
  expect(await bench.exit).toEqual({ code: 130, signal: null });
  expect(processesWith(mark)).toEqual([]);
});

test("says what was tried when there is no Kafka", async () => {
  vi.stubEnv("KAFKA_BROKERS", "");
  vi.stubEnv("DOCKER_HOST", "tcp://127.0.0.1:1");
  vi.stubEnv("JAVA_HOME", "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
  const said: string[] = [];
  await expect(startKafka({ offline: true, say: (line) => said.push(line) })).rejects.toThrow(
    /^No Kafka here, and none could be started.\nDocker: .+\nJava and Maven: Java is not installed: 17 or newer is needed\nGet one of these/,
  );
  expect(said).toEqual([
    "Docker: no engine answers `docker version`",
    "Java and Maven: Java is not installed: 17 or newer is needed",
  ]);
});
