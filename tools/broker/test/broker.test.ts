import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import amqp, { type ChannelModel } from "amqplib";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Broker, ManagementError, startBroker } from "../src/index.ts";
import { kinds } from "./kinds.ts";
import { folderOf, processesWith } from "./processes.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const common = { keyType: "ec", algorithm: "sha256" } as const;
const named = (value: string) => [{ name: "commonName", value }];
const { cert: ca, private: caKey } = await generate(named("authority"), {
  ...common,
  extensions: [{ name: "basicConstraints", cA: true, critical: true }],
});
const signed = (name: string) => generate(named(name), { ...common, ca: { cert: ca, key: caKey } });
const [server, billing] = await Promise.all([signed("localhost"), signed("billing")]);

describe.each(kinds)("a broker by $kind", ({ kind, here }) => {
  describe.skipIf(!here)("that is here", () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await startBroker({
        kind,
        private: true,
        mqtt: true,
        tls: { ca, certificate: server.cert, key: server.private },
      });
    });
    afterAll(() => broker?.stop());

    test("answers AMQP and the management API, and says what it is", async () => {
      const connection = await amqp.connect(broker.amqpUrl);
      expect(connection.connection.serverProperties).toMatchObject({
        product: "RabbitMQ",
        version: broker.version,
      });
      await connection.close();
      expect(await broker.management("GET", "/overview")).toMatchObject({ rabbitmq_version: broker.version });
      expect(broker.description).toContain(`RabbitMQ ${broker.version}`);
    });

    test("listens on 127.0.0.1 only", async () => {
      const urls = [broker.amqpUrl, broker.managementUrl, broker.mqttUrl, broker.amqpsUrl] as string[];
      const ports = urls.map((url) => Number(new URL(url).port));
      if (kind === "native") {
        const [node] = processesWith(`HOME=${await folderOf(ports[0] as number)} `);
        for (const name of ["ERL_EPMD_PORT", "RABBITMQ_DIST_PORT"])
          ports.push(Number(new RegExp(`${name}=(\\d+)`).exec(node?.command ?? "")?.[1]));
      }
      const others = Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ family, internal }) => family === "IPv4" && !internal)
        .map(({ address }) => address);
      // All of 127/8 is this machine on Linux, so that a listener on every address would answer.
      if (process.platform === "linux") others.push("127.0.0.2");
      for (const port of ports) {
        expect(await connectsTo(port, "127.0.0.1"), `127.0.0.1:${port}`).toBe(true);
        for (const address of others)
          expect(await connectsTo(port, address), `${address}:${port}`).toBe(false);
      }
    });

    test("speaks MQTT where it is asked to", async () => {
      const socket = connect(Number(new URL(broker.mqttUrl as string).port), "127.0.0.1");
      const login = ["client", "guest", "guest"].map(
        (word) => `\0${String.fromCharCode(word.length)}${word}`,
      );
      // CONNECT, for a clean session and with a login, and no keepalive: MQTT 3.1.1, section 3.1.
      const variable = `\0\x04MQTT\x04\xc2\0\0${login.join("")}`;
      socket.write(Buffer.from(`\x10${String.fromCharCode(variable.length)}${variable}`, "latin1"));
      const [connack] = await once(socket, "data");
      expect([...connack]).toEqual([0x20, 2, 0, 0]);
      socket.destroy();
    });

    test("speaks TLS where it is asked to, and takes a certificate for a login", async () => {
      const url = broker.amqpsUrl as string;
      await (await open(url, { ca })).close();
      await expect(open(url)).rejects.toThrow(/self-signed/);

      const external = { ca, credentials: amqp.credentials.external() };
      const asBilling = { ...external, cert: billing.cert, key: billing.private };
      await expect(open(url, asBilling)).rejects.toThrow(/ACCESS_REFUSED/);
      await broker.management("PUT", "/users/billing", { password_hash: "", tags: "" });
      const permissions = { configure: "", write: "", read: "" };
      await broker.management("PUT", "/permissions/%2F/billing", permissions);
      await (await open(url, asBilling)).close();
      await expect(open(url, external)).rejects.toThrow(/ACCESS_REFUSED/);
      // Anybody can make a certificate that says what they like.
      const forged = await generate(named("billing"), common);
      await expect(open(url, { ...external, cert: forged.cert, key: forged.private })).rejects.toThrow(
        /alert/,
      );
    });

    test("accepts no messages during a memory alarm, and accepts them after it", async () => {
      const connection = await open(broker.amqpUrl);
      const channel = await connection.createConfirmChannel();
      const { queue } = await channel.assertQueue("", { exclusive: true });
      const blocked = once(connection, "blocked");
      await broker.memoryAlarm(true);
      channel.sendToQueue(queue, Buffer.from("held up"));
      expect(await blocked).toEqual([expect.stringContaining("memory")]);
      const unblocked = once(connection, "unblocked");
      await broker.memoryAlarm(false);
      await unblocked;
      await channel.waitForConfirms();
      await connection.close();
    });

    test("gives a virtual host, whatever its name, and takes it away with its connections", async () => {
      const vhost = await broker.createVirtualHost("a/b c%é");
      const connection = await open(vhost.amqpUrl);
      const channel = await connection.createChannel();
      await channel.assertQueue("here", { exclusive: true });
      expect(await broker.management("GET", `/queues/${encodeURIComponent(vhost.name)}/here`)).toMatchObject({
        name: "here",
      });

      const closed = new Promise((resolve) => connection.once("close", resolve));
      await vhost.delete();
      await closed;
      await expect(open(vhost.amqpUrl)).rejects.toThrow(/ConnectionClose/);
    });

    test("gives each virtual host a name of its own", async () => {
      const [one, other] = await Promise.all([broker.createVirtualHost(), broker.createVirtualHost()]);
      expect(one.name).not.toBe(other.name);
      await Promise.all([one.delete(), other.delete()]);
    });

    test("gives a user who may do what is said and no more", async () => {
      const vhost = await broker.createVirtualHost();
      const owner = await open(vhost.amqpUrl);
      await (await owner.createChannel()).assertQueue("news", { durable: true });
      const reader = await broker.createUser({ vhost: vhost.name, configure: "", write: "", read: "^news$" });

      const connection = await open(reader.amqpUrl);
      const channel = await connection.createChannel();
      channel.on("error", () => {});
      expect(await channel.get("news")).toBe(false);
      await expect(channel.assertQueue("other")).rejects.toThrow(/ACCESS_REFUSED/);
      await connection.close();

      await reader.delete();
      await expect(open(reader.amqpUrl)).rejects.toThrow(/ACCESS[-_]REFUSED/);
      await vhost.delete();
    });

    test("cuts the connections to a virtual host, even one just opened", async () => {
      const vhost = await broker.createVirtualHost();
      const bystander = await open(broker.amqpUrl);
      const connection = await open(vhost.amqpUrl);
      const closed = new Promise((resolve) => connection.once("close", resolve));
      expect(await broker.closeConnections(vhost.name)).toBe(1);
      await closed;
      await (await bystander.createChannel()).close();
      await bystander.close();
      await vhost.delete();
    });

    test("cuts those that are meant, and waits for one", async () => {
      const vhost = await broker.createVirtualHost();
      const other = await open(vhost.amqpUrl);
      const known = () => broker.management<unknown[]>("GET", `/vhosts/${vhost.name}/connections`);
      await expect.poll(known).toHaveLength(1);
      const meant = await open(vhost.amqpUrl, { clientProperties: { connection_name: "bridge" } });
      const closed = new Promise((resolve) => meant.once("close", resolve));
      expect(await broker.closeConnections(vhost.name, /^bridge/)).toBe(1);
      await closed;
      await (await other.createChannel()).close();
      await other.close();
      await vhost.delete();
    });

    test("says what a refused request was and why", async () => {
      const refusal = await broker.management("GET", "/queues/%2F/nowhere").catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ManagementError);
      expect(refusal).toMatchObject({ status: 404 });
      expect((refusal as Error).message).toMatch(
        /^GET http:\/\/127\.0\.0\.1:\d+\/api\/queues\/%2F\/nowhere: 404 .*Not Found/,
      );
    });

    test("comes back after a power cut with all that was confirmed, on the same ports", async () => {
      const vhost = await broker.createVirtualHost();
      const before = await open(vhost.amqpUrl);
      const publisher = await before.createConfirmChannel();
      const queues = { classic: {}, quorum: { arguments: { "x-queue-type": "quorum" } } };
      for (const [name, options] of Object.entries(queues)) {
        await publisher.assertQueue(name, options);
        publisher.sendToQueue(name, Buffer.from("survivor"), { persistent: true });
      }
      await publisher.waitForConfirms();

      const closed = new Promise((resolve) => before.once("close", resolve));
      await broker.settle();
      await broker.kill();
      await closed;
      await expect(open(vhost.amqpUrl)).rejects.toThrow();
      await broker.start();

      const after = await open(vhost.amqpUrl);
      const consumer = await after.createChannel();
      for (const name of Object.keys(queues)) {
        const body = await new Promise((resolve) =>
          consumer.consume(name, (m) => resolve(String(m?.content)), { noAck: true }),
        );
        expect(body, name).toBe("survivor");
      }
      await after.close();
      await vhost.delete();
    });

    test("doesn't mind another one beside it, and leaves nothing when it stops", async () => {
      const other = await startBroker({ kind, private: true });
      expect([other.mqttUrl, other.amqpsUrl]).toEqual([undefined, undefined]);
      const port = Number(new URL(other.amqpUrl).port);
      const folder = kind === "native" ? await folderOf(port) : undefined;
      for (const url of [other.amqpUrl, broker.amqpUrl]) await (await open(url)).close();
      await other.stop();
      expect(await connectsTo(port, "127.0.0.1")).toBe(false);
      if (folder !== undefined) expect(processesWith(folder)).toEqual([]);
      await expect(other.start()).rejects.toThrow();
      await (await open(broker.amqpUrl)).close();
    });
  });
});

async function open(url: string, options: object = {}): Promise<ChannelModel> {
  const connection = await amqp.connect(url, { noDelay: true, ...options });
  connection.on("error", () => {});
  return connection;
}

function connectsTo(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const answer = (connects: boolean) => {
      socket.destroy();
      resolve(connects);
    };
    socket.once("connect", () => answer(true)).once("error", () => answer(false));
  });
}
