import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Broker, startBroker } from "../src/index.ts";
import { handshake } from "../src/ready.ts";
import { kinds } from "./kinds.ts";
import { run, until } from "./processes.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const native = kinds.find(({ kind }) => kind === "native")?.here;
const tell = `const { AMQP_URL, RABBITMQ_MANAGEMENT_URL, BROKER_IDENTITY } = process.env;
console.log(JSON.stringify({ AMQP_URL, RABBITMQ_MANAGEMENT_URL, BROKER_IDENTITY }));`;

describe.skipIf(!native)("a command with a broker", () => {
  test("that is started for it and stopped after it", async () => {
    const child = run("programs/with.ts", ["node", "-e", `${tell} process.exitCode = 7;`], {
      BROKER: "native",
      AMQP_URL: "",
    });
    const [code] = await once(child, "close");
    expect(code).toBe(7);
    const said = JSON.parse(child.printed);
    expect(said.BROKER_IDENTITY).toMatch(/^RabbitMQ \S+ native$/);
    expect(said.RABBITMQ_MANAGEMENT_URL).toMatch(/^http:/);
    await expect(handshake(said.AMQP_URL)).rejects.toThrow("ECONNREFUSED");
  });

  describe("that runs already", () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await startBroker({ kind: "native", private: true });
    });
    afterAll(() => broker?.stop());

    const attached = () => ({ AMQP_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl });

    test("which is left running", async () => {
      const child = run("programs/with.ts", ["node", "-e", tell], attached());
      expect(await once(child, "close")).toEqual([0, null]);
      expect(JSON.parse(child.printed)).toEqual({
        ...attached(),
        BROKER_IDENTITY: `RabbitMQ ${broker.version} by AMQP_URL`,
      });
      await handshake(broker.amqpUrl);
    });

    test.each(["SIGINT", "SIGTERM"] as const)("gets %s, and its exit code counts", async (signal) => {
      const waiting = `process.once("${signal}", () => process.exit(9)); setInterval(() => {}, 1000); console.log("waiting");`;
      const child = run("programs/with.ts", ["node", "-e", waiting], attached());
      await until(() => child.printed.includes("waiting"));
      child.kill(signal);
      expect(await once(child, "close")).toEqual([9, null]);
    });

    test("that a signal ends has the exit code a shell gives it", async () => {
      const child = run(
        "programs/with.ts",
        ["node", "-e", 'process.kill(process.pid, "SIGKILL")'],
        attached(),
      );
      expect(await once(child, "close")).toEqual([137, null]);
    });

    test("that doesn't exist is an error", async () => {
      const child = run("programs/with.ts", ["no-such-command"], attached());
      const [code] = await once(child, "close");
      expect(code).toBe(1);
      await handshake(broker.amqpUrl);
    });
  });

  test("isn't run when a signal comes before the broker is there", async () => {
    const child = run("programs/with.ts", ["node", "-e", tell], { BROKER: "native", AMQP_URL: "" });
    await until(() => child.complained.includes("Starting"));
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([143, null]);
    expect(child.printed).toBe("");
  });
});
