import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { NoKafkaError, startKafka } from "../src/index.ts";

// ms; a bound for a loaded machine, where Java takes long to start, and for fetching it.
vi.setConfig({ testTimeout: 300_000 });

/** Living processes whose command line holds a string. */
function processesWith(text: string): string[] {
  const list = execFileSync("ps", ["axww", "-o", "pid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  // A zombie has ended, whenever its parent takes note.
  return list.split("\n").filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line));
}

test("a Kafka that was started ends when SIGKILL ends its starter", async ({ skip }) => {
  const path = fileURLToPath(new URL("programs/holder.ts", import.meta.url));
  const starter = spawn(process.execPath, ["--import", "tsx", path], {
    env: { ...process.env, KAFKA_BROKERS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void starter.kill("SIGKILL"));
  let complaint = "";
  starter.stderr.on("data", (chunk) => (complaint += chunk));
  const [port] = await Promise.race([once(starter.stdout, "data"), once(starter, "exit")]);
  if (port === 3) skip(complaint);
  expect(port, complaint).toBeInstanceOf(Buffer);
  const [keeper = ""] = processesWith(`PLAINTEXT://127.0.0.1:${String(port).trim()}`);
  const folder = /"folder":"([^"]+)"/.exec(keeper)?.[1] ?? "";
  expect(existsSync(folder)).toBe(true);
  starter.kill("SIGKILL");
  await vi.waitUntil(() => processesWith(folder).length === 0 && !existsSync(folder), 60_000);
  await expect(fetch(`http://127.0.0.1:${String(port).trim()}`)).rejects.toThrow("fetch failed");
});

function stub(variables: Record<string, string>) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test("without anything to start it with, a line for each way names what is missing", async () => {
  stub({ BROKER: "", KAFKA_BROKERS: "", DOCKER_HOST: "tcp://127.0.0.1:1", JAVA_HOME: "/nowhere" });
  const said: string[] = [];
  const starting = startKafka({ say: (line) => said.push(line) });
  await expect(starting).rejects.toThrow(NoKafkaError);
  await expect(starting).rejects.toThrow(
    /^No Kafka here.+\nDocker: .+\nJava and Maven: Java is not installed: 17 or newer is needed\nGet one of these/,
  );
  expect(said).toEqual([
    "Docker: no engine answers `docker version`",
    "Java and Maven: Java is not installed: 17 or newer is needed",
  ]);
});

test("an address where no Kafka answers is an error", async () => {
  stub({ KAFKA_BROKERS: "127.0.0.1:1" });
  const starting = startKafka();
  await expect(starting).rejects.toThrow("KAFKA_BROKERS: 127.0.0.1:1 didn't answer within 5 s");
  await expect(starting).rejects.not.toThrow(NoKafkaError);
});
