import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findBroker, startBroker } from "../src/index.ts";
import { kinds } from "./kinds.ts";

vi.setConfig({ testTimeout: 120_000 });

const nowhere = "amqp://someone:secret@127.0.0.1:1";

beforeEach(() => {
  for (const name of ["AMQP_URL", "RABBITMQ_MANAGEMENT_URL", "BROKER", "DOCKER_HOST"])
    vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

test("AMQP_URL comes first, then Docker; each says in one line why not, and the last what to install", async () => {
  vi.stubEnv("AMQP_URL", nowhere);
  vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
  vi.stubEnv("BROKER", "docker");
  const said: string[] = [];
  const failure = await startBroker({ say: (line) => said.push(line) }).catch(
    (error: Error) => error.message,
  );
  expect(said).toEqual([
    "AMQP_URL: connect ECONNREFUSED 127.0.0.1:1",
    "Docker: the engine at /nowhere/docker.sock does not answer (ENOENT)",
  ]);
  for (const line of said) expect(failure).toContain(line);
  for (const command of ["apt-get install", "brew install", "choco install", "docker compose up"])
    expect(failure).toContain(command);
  expect(failure).not.toContain("secret");
});

test("a name with several addresses, none of which answers, has a reason too", async () => {
  vi.stubEnv("AMQP_URL", "amqp://localhost:1");
  vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
  vi.stubEnv("BROKER", "docker");
  await expect(findBroker()).rejects.toThrow(/AMQP_URL: .*ECONNREFUSED/);
});

test("an AMQP_URL that is no URL is said without repeating it", async () => {
  vi.stubEnv("AMQP_URL", "someone:secret@nowhere");
  vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
  vi.stubEnv("BROKER", "docker");
  const failure = await findBroker().catch((error: Error) => error.message);
  expect(failure).toMatch(/AMQP_URL: expected amqp:/);
  expect(failure).not.toContain("secret");
});

test("a Docker engine on another machine is none", async () => {
  vi.stubEnv("DOCKER_HOST", "tcp://203.0.113.1:2375");
  await expect(findBroker({ kind: "docker" })).rejects.toThrow(
    "Docker: the engine at DOCKER_HOST (tcp://203.0.113.1) is on another machine",
  );
});

test("a Docker engine that hangs is left alone", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  vi.stubEnv("DOCKER_HOST", `tcp://127.0.0.1:${(server.address() as { port: number }).port}`);
  await expect(findBroker({ kind: "docker" })).rejects.toThrow("does not answer (no answer)");
  server.close();
});

test("BROKER is docker or native", async () => {
  vi.stubEnv("BROKER", "dokker");
  await expect(findBroker()).rejects.toThrow('BROKER is "dokker": expected "docker" or "native".');
  await expect(startBroker()).rejects.toThrow('BROKER is "dokker": expected "docker" or "native".');
});

test("a signal ends the search with its reason", async () => {
  const reason = new Error("enough");
  const said: string[] = [];
  await expect(
    startBroker({ signal: AbortSignal.abort(reason), say: (line) => said.push(line) }),
  ).rejects.toBe(reason);
  expect(said.filter((line) => line.startsWith("Broker:"))).toEqual([]);
});

const native = kinds.find(({ kind }) => kind === "native")?.here;

describe.skipIf(!native)("with a RabbitMQ on this machine", () => {
  test("it is taken where there is no Docker, and found by AMQP_URL from elsewhere", async () => {
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
    const said: string[] = [];
    const broker = await startBroker({ say: (line) => said.push(line) });
    expect(said).toEqual([
      "Docker: the engine at /nowhere/docker.sock does not answer (ENOENT)",
      `Starting RabbitMQ ${broker.version} on this machine …`,
      `Broker: RabbitMQ ${broker.version}, a private node on this machine.`,
    ]);
    expect(await findBroker()).toEqual({ kind: "native", identity: broker.identity });
    expect(broker.identity).toBe(`RabbitMQ ${broker.version} native`);

    vi.stubEnv("AMQP_URL", broker.amqpUrl);
    vi.stubEnv("RABBITMQ_MANAGEMENT_URL", broker.managementUrl);
    const attached = await startBroker();
    expect(attached).toMatchObject({
      amqpUrl: broker.amqpUrl,
      managementUrl: broker.managementUrl,
      version: broker.version,
    });
    expect(await findBroker()).toEqual({ kind: "url", identity: `RabbitMQ ${broker.version} by AMQP_URL` });
    expect(await findBroker({ private: true })).toMatchObject({ kind: "native" });
    await (await attached.createVirtualHost()).delete();
    for (const act of [attached.kill, attached.start, attached.settle, () => attached.memoryAlarm(true)])
      await expect(act()).rejects.toThrow("is not ours to kill");
    await attached.stop();
    await (await broker.createVirtualHost()).delete();

    await broker.stop();
    await expect(findBroker({ private: true })).resolves.toMatchObject({ kind: "native" });
  });

  test("a start that is given up leaves its promise rejected with the reason", async () => {
    const giveUp = new AbortController();
    const starting = startBroker({
      kind: "native",
      private: true,
      signal: giveUp.signal,
      say: () => giveUp.abort(new Error("enough")),
    });
    await expect(starting).rejects.toThrow("enough");
  });

  test("a port that is taken is named in the reason", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const starting = startBroker({ kind: "native", private: true, managementPort: port });
    await expect(starting).rejects.toThrow(/RabbitMQ did not start: rabbitmq-server ended(.|\n)*eaddrinuse/);
    server.close();
  });
});
