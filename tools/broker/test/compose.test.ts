import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import amqp from "amqplib";
import { expect, onTestFinished, test } from "vitest";
import { freePorts } from "../src/ports.ts";
import { kinds } from "./kinds.ts";

const here = kinds.some(({ kind, here }) => kind === "docker" && here);
const root = fileURLToPath(new URL("../../..", import.meta.url));

test.skipIf(!here)(
  "docker compose up --wait returns when the broker takes connections",
  {
    timeout: 180_000,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "compose-"));
    const [port] = await freePorts(1);
    const project = `patterns-${port}`;
    // Another project may use the ports of docker-compose.yml at this moment.
    const ports = `services: { rabbitmq: { ports: !override ["127.0.0.1:${port}:5672"] } }\n`;
    writeFileSync(join(folder, "ports.yml"), ports);
    const compose = (...args: string[]) =>
      run("docker", [
        "compose",
        "-p",
        project,
        "-f",
        "docker-compose.yml",
        "-f",
        join(folder, "ports.yml"),
        ...args,
      ]);
    onTestFinished(async () => {
      await compose("down", "--volumes");
      rmSync(folder, { recursive: true });
    });

    expect(await compose("up", "--detach", "--wait", "--quiet-pull")).toBe(0);
    const connection = await amqp.connect(`amqp://127.0.0.1:${port}`);
    await connection.close();
  },
);

async function run(file: string, args: string[]): Promise<number> {
  const [code] = await once(spawn(file, args, { cwd: root, stdio: "ignore" }), "exit");
  return code;
}
