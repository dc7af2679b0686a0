import { once } from "node:events";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { findEngine } from "../src/docker.ts";
import { freePorts } from "../src/ports.ts";
import { kinds } from "./kinds.ts";
import { folderOf, processesWith, run, until } from "./processes.ts";

vi.setConfig({ testTimeout: 120_000 });

const here = (kind: string) => kinds.some((each) => each.kind === kind && each.here);

// A terminal's Ctrl-C is a SIGINT to every process of its group, npm and pnpm end what they run by SIGTERM, and
// nobody can prepare for a SIGKILL.
describe.skipIf(!here("native"))("a private node", () => {
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    for (const moment of ["keeper.mjs", "epmd", "beam.smp", "ready"]) {
      test(`leaves nothing when ${signal} ends its starter, and ${moment} is there`, async () => {
        const port = (await freePorts(1))[0] as number;
        const starter = run("programs/holder.ts", ["native", String(port)]);
        const folder = await folderOf(port);
        if (moment === "ready") await until(() => starter.printed.includes("amqp:"));
        else
          await until(() =>
            processesWith(folder).some(({ command }) => command.split(" ", 2).join(" ").includes(moment)),
          );

        process.kill(-(starter.pid as number), signal);
        await once(starter, "exit");
        await until(() => processesWith(folder).length === 0 && !existsSync(folder));
      });
    }
  }

  test("leaves nothing when its keeper is asked to end", async () => {
    const port = (await freePorts(1))[0] as number;
    const starter = run("programs/holder.ts", ["native", String(port)]);
    const folder = await folderOf(port);
    await until(() => starter.printed.includes("amqp:"));
    const keeper = processesWith(folder).find(({ command }) => command.includes("keeper.mjs"));
    process.kill(keeper?.pid as number, "SIGTERM");
    await until(() => processesWith(folder).length === 0 && !existsSync(folder));
  });
});

describe.skipIf(!here("docker"))("a container", () => {
  test.each(["SIGINT", "SIGKILL"] as const)("is gone when %s ends its starter", async (signal) => {
    const port = (await freePorts(1))[0] as number;
    const starter = run("programs/holder.ts", ["docker", String(port)]);
    await until(() => starter.printed.includes("amqp:"));
    const holders = async () =>
      (await containers()).filter(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port));
    expect(await holders()).toHaveLength(1);
    process.kill(-(starter.pid as number), signal);
    await until(async () => (await holders()).length === 0);
  });
});

async function containers(): Promise<{ Ports: { PublicPort?: number }[] }[]> {
  const [response] = await once(
    request({ ...findEngine(), path: "/containers/json?all=1" }).end(),
    "response",
  );
  return JSON.parse((await response.toArray()).join(""));
}
