import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { basename } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { freeClusterUrl } from "../src/cluster.ts";
import { freePorts } from "../src/ports.ts";
import { kinds } from "./kinds.ts";
import { folderOf, processesWith, run, until } from "./processes.ts";

vi.setConfig({ testTimeout: 180_000 });

describe.each(kinds)("a cluster by $kind", ({ kind, here }) => {
  test.skipIf(!here)("has three nodes, and leaves nothing when SIGKILL ends its starter", async () => {
    const port = (await freePorts(1))[0] as number;
    const holder = run("programs/cluster-holder.ts", [kind, String(port)]);
    await until(() => holder.printed.includes("\n"));
    const ports = holder.printed
      .trim()
      .split(",")
      .map((url) => Number(new URL(url).port));
    expect(ports).toHaveLength(3);
    const folders = kind === "native" ? await Promise.all(ports.map(folderOf)) : [];

    process.kill(-(holder.pid as number), "SIGKILL");
    await once(holder, "exit");
    for (const each of ports) await until(async () => !(await listens(each)));
    for (const folder of folders)
      await until(() => processesWith(basename(folder)).length === 0 && !existsSync(folder));
  });
});

const cli = "../src/cli.ts";

const urls = (...ports: number[]) => ports.map((port) => `amqp://localhost:${port}`).join();

test("pnpm broker cluster refuses what makes no sense", async () => {
  const cases = [
    { args: ["--nodes", "5"], env: {} },
    { args: ["--docker", "--native"], env: {} },
    { args: [], env: { CLUSTER_URL: "amqp://localhost:5672" } },
    { args: [], env: { CLUSTER_URL: urls(20001, 20002, 20001) } },
    { args: [], env: { CLUSTER_URL: urls(10001, 20001, 30001) } },
    { args: [], env: { CLUSTER_URL: urls(60001, 20001, 30001) } },
  ];
  for (const { args, env } of cases) {
    const refused = run(cli, ["cluster", ...args], env);
    const [code] = await once(refused, "close");
    expect(code).toBe(2);
    expect(refused.complained).toMatch(/\nUsage: pnpm broker cluster /);
  }
});

test.skipIf(!kinds.some(({ here }) => here))(
  "pnpm broker cluster says that a port is taken, and by Ctrl-C ends in the middle of starting",
  async () => {
    const holder = kinds.find(({ here }) => here);
    const env = { CLUSTER_URL: await freeClusterUrl(), ...(holder ? { BROKER: holder.kind } : {}) };
    const [url = ""] = env.CLUSTER_URL.split(",");
    const port = new URL(url).port;
    const starting = run(cli, ["cluster"], env);
    await until(() => listens(Number(port)));
    const refused = run(cli, ["cluster"], env);
    const [code] = await once(refused, "close");
    expect(code).toBe(1);
    expect(refused.complained).toContain(`Port ${port} is in use.`);

    starting.kill("SIGINT");
    expect(await once(starting, "close")).toEqual([0, null]);
    await until(async () => !(await listens(Number(port))));
  },
);

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", () => answer(true)).once("error", () => answer(false));
  });
}
