import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { freePorts } from "../src/ports.ts";
import { versionAt } from "../src/ready.ts";
import { kinds } from "./kinds.ts";
import { folderOf, processesWith, run, type Script, until } from "./processes.ts";

vi.setConfig({ testTimeout: 120_000 });

const usage =
  "Usage: pnpm broker [--docker] [--native] [--port N] [--management-port N] [--tls FOLDER] [--certificate NAME] [--sender NAME] [--help]\n";

test("--help says how it finds a broker, how to force a way, and the variables", async () => {
  const { code, stdout, stderr } = await finished(cli(["--help"]));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const word of [
    "--docker",
    "--native",
    "BROKER=",
    "RABBITMQ_IMAGE",
    "DOCKER_HOST",
    "AMQP_URL",
    "RABBITMQ_MANAGEMENT_URL",
  ])
    expect(stdout).toContain(word);
});

test.each([
  [["lock"], /"lock"/],
  [["--docker", "--native"], /not both/],
  [["--port", "amqp"], /--port takes .* not "amqp"/],
  [["--port", "20000", "--management-port", "20000"], /can't both have port 20000/],
  [["--port", "15672"], /can't both have port 15672/],
  [["--sender", "billing"], /need --tls/],
  [["--certificate", "server"], /need --tls/],
  [["--tls", "/nowhere"], /no such file .*'\/nowhere\/ca\.pem'/],
])("%j is answered with what is wrong and the usage", async (args, reason) => {
  const { code, stdout, stderr } = await finished(cli(args));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(reason);
  expect(stderr.endsWith(usage)).toBe(true);
});

test("a port in use is said in one line", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  for (const option of ["--port", "--management-port"]) {
    const [free] = (await freePorts(1)) as [number];
    const other = option === "--port" ? "--management-port" : "--port";
    const { code, stdout, stderr } = await finished(cli([option, String(port), other, String(free)]));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `Port ${port} is in use. If a RabbitMQ is there, use it as it is; else see --port in --help.\n`,
    );
  }
  server.close();
});

test("no broker to be had: why, and what to install", async () => {
  const [port, managementPort] = (await freePorts(2)) as [number, number];
  const args = ["--docker", "--port", String(port), "--management-port", String(managementPort)];
  const { code, stderr } = await finished(cli(args, { DOCKER_HOST: "unix:///nowhere/docker.sock" }));
  expect(code).toBe(1);
  expect(stderr).toContain("Docker: the engine at /nowhere/docker.sock does not answer (ENOENT)\n");
  expect(stderr).toContain("sudo apt-get install rabbitmq-server");
  expect(stderr).not.toMatch(/^\s+at /m);
});

describe.each(kinds)("by --$kind", ({ kind, here }) => {
  describe.skipIf(!here)("which is here", () => {
    test.each(["SIGINT", "SIGTERM"] as const)(
      "it runs, says where, and ends with 0 on %s",
      async (signal) => {
        const [port, managementPort] = (await freePorts(2)) as [number, number];
        const child = cli([`--${kind}`, "--port", String(port), "--management-port", String(managementPort)]);
        const end = finished(child);
        await until(() => child.printed.includes("Press Ctrl-C to stop."));
        expect(child.printed).toBe(
          [
            `AMQP             amqp://localhost:${port}`,
            `Management page  http://localhost:${managementPort} (user guest, password guest)`,
            "Press Ctrl-C to stop.\n",
          ].join("\n"),
        );
        const version = await versionAt(`http://guest:guest@localhost:${managementPort}`);
        const folder = kind === "native" ? await folderOf(port) : undefined;
        // Twice, as one presses it.
        for (let i = 0; i < 2; i++) child.kill(signal);
        const { code, stderr } = await end;
        expect(code).toBe(0);
        expect(stderr).toContain(`Broker: RabbitMQ ${version}`);
        await expect(versionAt(`http://guest:guest@localhost:${managementPort}`)).rejects.toThrow(
          "ECONNREFUSED",
        );
        if (folder !== undefined) expect(processesWith(folder)).toEqual([]);
      },
    );

    test("Ctrl-C while it starts leaves nothing", async () => {
      const [port, managementPort] = (await freePorts(2)) as [number, number];
      const child = cli([`--${kind}`, "--port", String(port), "--management-port", String(managementPort)]);
      const end = finished(child);
      const folder = kind === "native" ? await folderOf(port) : undefined;
      if (folder === undefined) await until(() => child.complained.includes("Starting"));
      child.kill("SIGINT");
      expect(await end).toMatchObject({ code: 0, stdout: "" });
      if (folder !== undefined) expect(processesWith(folder)).toEqual([]);
      await expect(versionAt(`http://guest:guest@localhost:${managementPort}`)).rejects.toThrow(
        "ECONNREFUSED",
      );
    });
  });
});

const cli = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  run("../src/cli.ts", args, { BROKER: "", AMQP_URL: "", ...env });

async function finished(child: Script): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [code] = await once(child, "close");
  return { code, stdout: child.printed, stderr: child.complained };
}
