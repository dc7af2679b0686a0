import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, beforeEach, describe, expect, vi } from "vitest";
import { BrokerError, connect } from "../src/index.ts";
import { test } from "./own-host.ts";

beforeEach(() => {
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  return () => errors.mockRestore();
});

test("runs its setup on the first connection and on each later one", async ({ broker, ownHost }) => {
  let runs = 0;
  const connection = await connect({
    url: ownHost.amqpUrl,
    async setup(model) {
      const channel = await model.createChannel();
      await channel.assertQueue("declared", { exclusive: true });
      runs++;
    },
  });
  expect(runs).toBe(1);
  const back = once(connection, "connect");
  await broker.closeConnections(ownHost.name);
  await back;
  expect(runs).toBe(2);
  expect(console.error).toHaveBeenNthCalledWith(1, expect.stringMatching(/^ \[!] Connection lost/));
  expect(console.error).toHaveBeenNthCalledWith(2, " [!] Connected again.");
  await connection.close();
});

test("says once why it is refused when it wants to come back, and goes on trying", async ({
  broker,
  ownHost,
}) => {
  const user = await broker.createUser({ vhost: ownHost.name, configure: ".*", write: ".*", read: ".*" });
  const setPassword = (password: string) =>
    broker.management("PUT", `/users/${user.name}`, { password, tags: "" });
  const connection = await connect({ url: user.amqpUrl });
  await setPassword("another");
  await broker.closeConnections(ownHost.name);
  for (const _ of [1, 2, 3]) await once(connection, "connect-failed");
  expect(vi.mocked(console.error).mock.calls).toEqual([
    [expect.stringMatching(/^ \[!] Connection lost/)],
    [expect.stringMatching(/^ \[!] .* refused the login/)],
  ]);
  const back = once(connection, "connect");
  await setPassword(user.password);
  await back;
  await connection.close();
  await user.delete();
});

test("lets a caller wait for a channel while the broker is away", async ({ broker, ownHost }) => {
  const connection = await connect({ url: ownHost.amqpUrl });
  const lost = once(connection, "disconnect");
  await broker.closeConnections(ownHost.name);
  await lost;
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("later", { durable: true });
  await connection.close();
});

test("survives an error on a channel", async ({ virtualHost }) => {
  const connection = await connect({ url: virtualHost.amqpUrl });
  const channel = await connection.createChannel();
  await expect(channel.checkQueue("nowhere")).rejects.toThrow("NOT_FOUND");
  const another = await connection.createChannel();
  await another.assertQueue("elsewhere", { durable: true });
  await connection.close();
});

test("tells the broker which program it is", async ({ virtualHost, management }) => {
  const connection = await connect({ url: virtualHost.amqpUrl, name: "billing" });
  await expect
    .poll(
      async () => {
        const found = await management<{ client_properties?: { connection_name?: string } }[]>(
          "GET",
          `/vhosts/${virtualHost.name}/connections`,
        );
        return found.map(({ client_properties }) => client_properties?.connection_name);
      },
      { timeout: 30_000 },
    )
    .toContain("billing");
  await connection.close();
});

test("takes user, password, virtual host and query from the URL, however they are spelt", async ({
  broker,
}) => {
  const virtualHost = await broker.createVirtualHost("a/b c");
  const [user, password] = ["zoë", "pä/ss:w@rd%"];
  await broker.management("PUT", `/users/${encodeURIComponent(user)}`, { password, tags: "" });
  const permissions = { configure: ".*", write: ".*", read: ".*" };
  await broker.management("PUT", `/permissions/a%2Fb%20c/${encodeURIComponent(user)}`, permissions);
  const url = new URL(virtualHost.amqpUrl);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  url.search = "?heartbeat=7&frameMax=8192";

  const connection = await connect({ url: url.href });
  const channel = await connection.createChannel();
  await channel.assertQueue("reached", { durable: true });
  expect(await broker.management("GET", "/queues/a%2Fb%20c/reached")).toMatchObject({ name: "reached" });
  await connection.close();
  await broker.management("DELETE", `/users/${encodeURIComponent(user)}`);
  await virtualHost.delete();
});

test("turns to a cluster's next node when one doesn't answer, or is lost", async ({
  broker,
  virtualHost,
  ownHost,
}) => {
  // Two virtual hosts can be told apart, and their connections cut, as if they were nodes.
  const nobody = "amqp://guest:a,b@127.0.0.1:1";
  const connection = await connect({ url: [nobody, ownHost.amqpUrl, nobody, virtualHost.amqpUrl].join() });
  const declare = async (queue: string) =>
    (await connection.createChannel()).assertQueue(queue, { exclusive: true });
  await declare("before");
  expect(await broker.management("GET", `/queues/${ownHost.name}/before`)).toMatchObject({ name: "before" });

  const back = once(connection, "connect");
  await broker.closeConnections(ownHost.name);
  await back;
  await declare("after");
  expect(await broker.management("GET", `/queues/${virtualHost.name}/after`)).toMatchObject({
    name: "after",
  });
  await connection.close();
});

test("names all of a cluster's nodes when none answers, without passwords", async () => {
  const refused = connect({ url: "amqp://user:secret@127.0.0.1:1,amqp://127.0.0.1:2" });
  await expect(refused).rejects.toThrow(
    "No RabbitMQ at amqp://user@127.0.0.1:1, amqp://127.0.0.1:2 (connection refused).",
  );
});

describe("TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("trusts the authorities in NODE_EXTRA_CA_CERTS, as everything in Node does", async ({
    virtualHost,
    runWith,
    onTestFinished,
  }) => {
    const { amqpUrl, file } = await tlsTo(virtualHost.amqpUrl, onTestFinished);
    const trusting = runWith({ amqpUrl, env: { NODE_EXTRA_CA_CERTS: file } }, "test:publisher", "secure");
    expect(await trusting.exit).toMatchObject({ code: 0 });
  });

  test("trusts the authority that AMQP_URL names", async ({ virtualHost, onTestFinished }) => {
    const { amqpUrl, file } = await tlsTo(virtualHost.amqpUrl, onTestFinished);
    await (await connect({ url: `${amqpUrl}?cacertfile=${file}` })).close();
  });

  const day = 24 * 60 * 60 * 1000;
  const inDays = (days: number) => new Date(Date.now() + days * day);
  test.each<
    [
      string,
      { name?: string; notBeforeDate?: Date; notAfterDate?: Date },
      (url: string, file: string) => string,
      string,
    ]
  >([
    [
      "an unknown authority",
      {},
      (url) => url,
      "shows a certificate of an unknown authority (self-signed certificate). If it is yours, name its file: AMQP_URL=amqps://…?cacertfile=…, or NODE_EXTRA_CA_CERTS.",
    ],
    [
      "another host's certificate",
      { name: "broker.example" },
      (url, file) => `${url}?cacertfile=${file}`,
      "shows a certificate for another host: DNS:broker.example. Use a name that is in it, if that is where you meant to go.",
    ],
    [
      "an expired certificate",
      { notBeforeDate: inDays(-2), notAfterDate: inDays(-1) },
      (url, file) => `${url}?cacertfile=${file}`,
      "has expired. Whoever runs it has to renew it.",
    ],
    [
      "tomorrow's certificate",
      { notBeforeDate: inDays(1) },
      (url, file) => `${url}?cacertfile=${file}`,
      "is not valid yet. Is this machine's clock right?",
    ],
    [
      "a login by certificate where there is none",
      {},
      (url, file) => `${url}?cacertfile=${file}&auth_mechanism=external`,
      "doesn't take a certificate for a login: its mechanism EXTERNAL (plugin rabbitmq_auth_mechanism_ssl) is off.",
    ],
    ["no TLS at all", {}, () => "plain", "doesn't speak TLS on this port. For amqps: it is 5671 as a rule."],
    [
      "a file that isn't there",
      {},
      (url) => `${url}?certfile=/nowhere/me.pem`,
      "AMQP_URL names a certfile that can't be read: ENOENT",
    ],
    ["a file that is no certificate", {}, (url) => `${url}?certfile=package.json`, "failed: no start line"],
  ])("refuses %s in one line", async (_, certificate, urlOf, expected) => {
    const cleanUp: (() => void)[] = [];
    const virtualHostUrl = process.env.AMQP_URL as string;
    const { amqpUrl, file } = await tlsTo(virtualHostUrl, (close) => cleanUp.push(close), certificate);
    const url = urlOf(amqpUrl, file);
    const error = await connect({
      url: url === "plain" ? virtualHostUrl.replace("amqp:", "amqps:") : url,
    }).catch((error: unknown) => error);
    for (const close of cleanUp) close();
    expect(error).toBeInstanceOf(BrokerError);
    expect((error as BrokerError).message).toContain(expected);
    expect((error as BrokerError).message).not.toMatch(/\n|guest:guest|undefined/);
  });

  /** A broker behind a TLS proxy, as behind most cloud providers' load balancers. Its certificate is its own authority. */
  async function tlsTo(
    broker: string,
    atEnd: (close: () => void) => void,
    { name = "localhost", ...dates } = {},
  ) {
    const { hostname, port, pathname } = new URL(broker);
    const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
      keyType: "ec",
      algorithm: "sha256",
      ...dates,
    });
    const proxy = createTlsServer({ cert, key }, (socket) => {
      const broker = dial(Number(port), hostname);
      socket.on("error", () => broker.destroy()).pipe(broker);
      broker.on("error", () => socket.destroy()).pipe(socket);
    }).on("tlsClientError", () => {});
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    atEnd(() => void proxy.close());
    const file = join(folder, `${(proxy.address() as AddressInfo).port}.pem`);
    writeFileSync(file, cert);
    return { amqpUrl: `amqps://localhost:${(proxy.address() as AddressInfo).port}${pathname}`, file };
  }
});

test("gives up in two lines when nobody answers, without the password", async () => {
  const port = await freePort();
  const error = await connect({ url: `amqp://me:secret@127.0.0.1:${port}/shop` }).catch(
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(BrokerError);
  expect((error as BrokerError).message).toBe(
    `No RabbitMQ at amqp://me@127.0.0.1:${port}/shop (connection refused).\n` +
      "Start one with `pnpm broker` or `docker compose up -d`, or set AMQP_URL to yours.",
  );
});

test("comes through when the broker is a moment late", async ({ virtualHost }) => {
  const { hostname, port: brokerPort, pathname } = new URL(virtualHost.amqpUrl);
  const port = await freePort();
  const connecting = connect({ url: `amqp://127.0.0.1:${port}${pathname}` });
  const door = createServer((socket) => {
    const broker = dial(Number(brokerPort), hostname);
    socket.on("error", () => broker.destroy()).pipe(broker);
    broker.on("error", () => socket.destroy()).pipe(socket);
  });
  door.listen(port, "127.0.0.1");
  await (await connecting).close();
  door.close();
});

test("comes through when a connection whose setup has failed is lost before it is closed", async ({
  virtualHost,
  onTestFinished,
}) => {
  const { hostname, port: brokerPort, pathname } = new URL(virtualHost.amqpUrl);
  let hangUp = false;
  const door = createServer((near) => {
    const far = dial(Number(brokerPort), hostname);
    far.on("error", () => near.destroy()).pipe(near);
    near.on("error", () => far.destroy());
    near.on("data", (bytes) => {
      if (hangUp) near.destroy();
      else far.write(bytes);
      hangUp = false;
    });
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  onTestFinished(() => void door.close());
  let runs = 0;
  const connection = await connect({
    url: `amqp://127.0.0.1:${(door.address() as AddressInfo).port}${pathname}`,
    async setup() {
      if (++runs > 1) return;
      // What is said next is that the connection closes.
      hangUp = true;
      throw Object.assign(new Error("lost"), { code: "ECONNRESET" });
    },
  });
  expect(runs).toBe(2);
  await connection.close();
});

test.each([
  [
    "no url at all",
    "AMQP_URL is not a URL: expected amqp://user:password@host:5672/virtual-host or amqps://….",
  ],
  [
    "http://me:secret@localhost",
    "AMQP_URL begins with http: but expected amqp://user:password@host:5672/virtual-host or amqps://….",
  ],
  [
    "amqp://me:%zz@localhost",
    "AMQP_URL is not a URL: expected amqp://user:password@host:5672/virtual-host or amqps://….",
  ],
])("refuses %s and doesn't repeat it", async (url, message) => {
  await expect(connect({ url })).rejects.toThrow(new BrokerError(message));
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
