import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, describe, expect, vi } from "vitest";
import { openWire } from "wire";
import { BrokerError, type Channels, connect } from "../src/amqp/index.ts";
import { keptLog } from "./lines.ts";
import { test } from "./own-host.ts";
import { socketsTo } from "./sockets.ts";

test("runs its setup on the first connection and on each later one", async ({ broker, ownHost }) => {
  const { log, lines, said } = keptLog();
  let runs = 0;
  const connection = await connect({
    url: ownHost.amqpUrl,
    log,
    async setup(connection) {
      const channel = await connection.createChannel();
      await channel.assertQueue("declared", { exclusive: true });
      runs++;
    },
  });
  expect(runs).toBe(1);
  expect(connection.status).toBe("open");
  await broker.closeConnections(ownHost.name);
  await said(/Connected again/);
  expect(runs).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(/^Connection lost \(.+\)\. Reconnecting \.\.\.$/),
    "Connected again.",
  ]);
  await connection.close();
  expect(connection.status).toBe("closed");
});

test("tells once why it is refused when it wants to come back, and goes on trying", async ({
  broker,
  ownHost,
}) => {
  const user = await broker.createUser({ vhost: ownHost.name, configure: ".*", write: ".*", read: ".*" });
  const setPassword = (password: string) =>
    broker.management("PUT", `/users/${user.name}`, { password, tags: "" });
  const wire = await openWire(user.amqpUrl);
  let attempts = 0;
  wire.on("connection", () => attempts++);
  const { log, lines, said } = keptLog();
  const connection = await connect({ url: wire.amqpUrl, log });
  await setPassword("another");
  wire.cut();
  await expect.poll(() => attempts, { timeout: 20_000 }).toBe(4);
  expect(lines).toEqual([
    expect.stringMatching(/^Connection lost/),
    expect.stringMatching(/ refused the login/),
  ]);
  expect(lines.join()).not.toContain(user.password);
  await setPassword(user.password);
  await said(/Connected again/);
  await connection.close();
  await wire.close();
  await user.delete();
});

test("lets a caller wait for a channel while the broker is away", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const connection = await connect({ url: wire.amqpUrl });
  await wire.unplug();
  await expect.poll(() => connection.status).toBe("connecting");
  const opening = connection.createConfirmChannel();
  await wire.plugIn();
  await (await opening).assertQueue("later", { durable: true });
  await connection.close();
  await wire.close();
});

test("opens a channel on the next connection when one is lost while the channel is being opened", async ({
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const connection = await connect({ url: wire.amqpUrl });
  const reached = wire.stopAt({ method: "channel.open" });
  const opening = connection.createChannel();
  await reached;
  wire.cut();
  await (await opening).assertQueue("reopened", { durable: true });
  await connection.close();
  await wire.close();
});

test("ends what waits for a channel when it is closed", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const connection = await connect({ url: wire.amqpUrl });
  await wire.unplug();
  await expect.poll(() => connection.status).toBe("connecting");
  const opening = connection.createChannel();
  await connection.close();
  await expect(opening).rejects.toThrow("The connection is closed.");
  await wire.close();
});

test("survives an error on a channel", async ({ virtualHost }) => {
  const connection = await connect({ url: virtualHost.amqpUrl });
  const channel = await connection.createChannel();
  await expect(channel.checkQueue("nowhere")).rejects.toThrow("NOT_FOUND");
  const another = await connection.createChannel();
  await another.assertQueue("elsewhere", { durable: true });
  await connection.close();
});

test("tells the broker which program it is, and asks for a heartbeat of 20 s", async ({
  virtualHost,
  onTestFinished,
}) => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const wire = await openWire(virtualHost.amqpUrl);
  const names: unknown[] = [];
  const heartbeats: unknown[] = [];
  wire.on("said", (said) => {
    if (said.method === "connection.start-ok") names.push(said.fields.clientProperties.connection_name);
    if (said.method === "connection.tune-ok") heartbeats.push(said.fields.heartbeat);
  });
  const connectAs = async (options: { name?: string }) => {
    const connection = await connect({ url: wire.amqpUrl, ...options });
    await connection.close();
  };
  await connectAs({ name: "billing" });
  vi.stubEnv("npm_package_name", "shop");
  vi.stubEnv("npm_lifecycle_event", "orders");
  await connectAs({});
  vi.stubEnv("npm_package_name", undefined);
  await connectAs({});
  expect(names).toEqual(["billing", "shop orders", basename(process.argv[1] as string)]);
  expect(heartbeats).toEqual([20, 20, 20]);
  await wire.close();
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
  url.search = "?heartbeat=7&frameMax=8192&channel_max=";

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
  const { log, said } = keptLog();
  // A space behind a comma is allowed.
  const url = [nobody, ownHost.amqpUrl, nobody, virtualHost.amqpUrl].join(", ");
  const connection = await connect({ url, log });
  const declare = async (queue: string) =>
    (await connection.createChannel()).assertQueue(queue, { exclusive: true });
  await declare("before");
  expect(await broker.management("GET", `/queues/${ownHost.name}/before`)).toMatchObject({ name: "before" });

  await broker.closeConnections(ownHost.name);
  await said(/Connected again/);
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
      "shows a certificate of an unknown authority (self-signed certificate). If it is yours, name its file in the URL (amqps://…?cacertfile=…) or in NODE_EXTRA_CA_CERTS.",
    ],
    [
      "another host's certificate",
      { name: "broker.example" },
      (url, file) => `${url}?cacertfile=${file}`,
      "shows a certificate for another host: DNS:broker.example. Connect to a name that is in it.",
    ],
    [
      "an expired certificate",
      { notBeforeDate: inDays(-2), notAfterDate: inDays(-1) },
      (url, file) => `${url}?cacertfile=${file}`,
      "has expired. Its owner has to renew it.",
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
    [
      "no TLS at all",
      {},
      () => "plain",
      "doesn't speak TLS on this port. RabbitMQ's port for amqps: is usually 5671.",
    ],
    [
      "a file that isn't there",
      {},
      (url) => `${url}?certfile=/nowhere/me.pem`,
      "The broker's URL names a certfile that can't be read: ENOENT",
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

test("gives up when no broker answers, without the password", async () => {
  const error = await connect({ url: "amqp://me:secret@127.0.0.1:1/shop" }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(BrokerError);
  expect(error).toMatchObject({
    name: "BrokerError",
    message: "No RabbitMQ at amqp://me@127.0.0.1:1/shop (connection refused).",
    code: "ECONNREFUSED",
    retriable: true,
  });
});

test("explains a refused login, a missing virtual host and a missing permission in one line, and doesn't try again", async ({
  broker,
  ownHost,
}) => {
  const reader = await broker.createUser({ vhost: ownHost.name, configure: "", write: "", read: ".*" });
  const setup = async (connection: Channels) => {
    await (await connection.createChannel()).assertQueue("forbidden");
  };
  for (const [url, message] of [
    [
      reader.amqpUrl.replace(reader.password, "mistaken"),
      / refused the login\. Are the user and the password/,
    ],
    [
      ownHost.amqpUrl.replace(ownHost.name, "nowhere"),
      / has no such virtual host, or this user has no permissions/,
    ],
    [reader.amqpUrl, / says: .*access to queue 'forbidden' .*refused for user/],
    [`amqp://${"h".repeat(300)}`, /^No RabbitMQ at amqp:\/\/h+ \(unknown host\)\.$/],
  ] as [string, RegExp][]) {
    const error = await connect({ url, setup, patience: 0 }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BrokerError);
    expect((error as BrokerError).message).toMatch(message);
    expect((error as BrokerError).message).not.toMatch(/\n|mistaken/);
    expect((error as BrokerError).retriable).toBe(/unknown host/.test(message.source));
  }
  await reader.delete();
});

test("ends a sentence of the broker's with one full stop", async ({ ownHost }) => {
  const owner = await connect({ url: ownHost.amqpUrl });
  const { queue } = await (await owner.createChannel()).assertQueue("", { exclusive: true });
  const setup = async (connection: Channels) => {
    await (await connection.createChannel()).checkQueue(queue);
  };
  // The broker's own sentence has one already.
  await expect(connect({ url: ownHost.amqpUrl, setup, patience: 0 })).rejects.toThrow(/[^.]\.$/);
  await owner.close();
});

test("comes through when the broker is a moment late, and waits for as long as it is told to", async ({
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  await wire.unplug();
  const late = connect({ url: wire.amqpUrl });
  const { log, lines, said } = keptLog();
  const patient = connect({ url: wire.amqpUrl, patience: Number.POSITIVE_INFINITY, log });
  const impatient = connect({ url: wire.amqpUrl, patience: 0 });
  await expect(impatient).rejects.toThrow(/connection refused/);
  await said(/connection refused/);
  await wire.plugIn();
  await (await late).close();
  await (await patient).close();
  // Once, although it was tried again and again.
  expect(lines).toEqual([
    expect.stringMatching(/^No RabbitMQ at .+ \(connection refused\)\. Waiting \.\.\.$/),
  ]);
  await wire.close();
});

test("waits for a broker that is still starting behind a port that hangs up, and says so", async ({
  virtualHost,
}) => {
  const port = await freePort();
  // What Docker's proxy does for a published port on which nothing listens in the container yet.
  const proxy = createServer((socket) => socket.resetAndDestroy()).listen(port, "127.0.0.1");
  const { log, lines, said } = keptLog();
  const connecting = connect({ url: virtualHost.amqpUrl.replace(/:\d+/, `:${port}`), patience: 0, log });
  await said(/still starting\. Waiting \.\.\.$/);
  proxy.close();
  await once(proxy, "close");
  const wire = await openWire(virtualHost.amqpUrl, { port });
  await (await connecting).close();
  expect(lines).toHaveLength(1);
  await wire.close();
});

test("gives up a peer that accepts the connection and says nothing, after the time that the URL names", async ({
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  wire.freeze();
  const silent = connect({ url: `${wire.amqpUrl}?connection_timeout=300`, patience: 0 });
  await expect(silent).rejects.toThrow(/\(no answer\)/);
  await wire.close();
});

test("closes at once while it is connecting to a peer that says nothing", async ({
  virtualHost,
  onTestFinished,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const open = socketsTo(wire.port, onTestFinished);
  wire.freeze();
  const stopping = new AbortController();
  const connected = wire.nextConnection();
  const silent = connect({ url: wire.amqpUrl, signal: stopping.signal });
  await connected;
  stopping.abort();
  await expect(silent).rejects.toThrow("The connection is closed.");
  await expect.poll(open).toBe(0);
  await wire.close();
});

test("tries again when the first connection is cut during its setup, wherever that is", async ({
  virtualHost,
}) => {
  for (const method of ["channel.open", "queue.declare", "basic.qos"] as const) {
    const wire = await openWire(virtualHost.amqpUrl);
    const reached = wire.stopAt({ method }).then(() => wire.cut("rst"));
    let runs = 0;
    const connection = await connect({
      url: wire.amqpUrl,
      async setup(connection) {
        runs++;
        const channel = await connection.createChannel();
        await channel.assertQueue("cut", { exclusive: true });
        await channel.prefetch(1);
      },
    });
    await reached;
    expect(runs).toBe(2);
    await connection.close();
    await wire.close();
  }
});

test("comes through when a connection whose setup has failed is lost before it is closed", async ({
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  void wire.stopAt({ method: "connection.close" }).then(() => wire.cut());
  let runs = 0;
  const connection = await connect({
    url: wire.amqpUrl,
    async setup() {
      if (++runs === 1) throw Object.assign(new Error("lost"), { code: "ECONNRESET" });
    },
  });
  expect(runs).toBe(2);
  await connection.close();
  await wire.close();
});

test("leaves no socket to a peer that has gone silent, and reconnects past it", async ({
  virtualHost,
  onTestFinished,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const open = socketsTo(wire.port, onTestFinished);
  const { log, said } = keptLog();
  const connection = await connect({ url: `${wire.amqpUrl}?heartbeat=1`, log });
  wire.freeze();
  await said(/Connection lost \(Heartbeat timeout\)/);
  wire.thaw();
  await said(/Connected again/);
  await expect.poll(open).toBe(1);
  await connection.close();
  await wire.close();
});

test("closes in time when the broker has gone silent", async ({ virtualHost, onTestFinished }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const open = socketsTo(wire.port, onTestFinished);
  const connection = await connect({ url: wire.amqpUrl });
  wire.freeze();
  await connection.close({ deadline: 100 });
  await expect.poll(open).toBe(0);
  await wire.close();
});

test("waits longer and longer between connections that don't stand", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const times: number[] = [];
  wire.on("connection", () => times.push(performance.now()));
  const connection = await connect({
    url: wire.amqpUrl,
    async setup() {
      // Once it has stood for an instant.
      setImmediate(() => wire.cut());
    },
  });
  await expect.poll(() => times.length, { timeout: 20_000 }).toBe(6);
  const pauses = times.slice(1).map((time, index) => time - (times[index] as number));
  // Each pause is twice as long as the one before, give or take a fifth.
  expect(pauses[4]).toBeGreaterThan(4 * (pauses[0] as number));
  await connection.close();
  await wire.close();
});

const expected = "expected amqp://user:password@host:5672/virtual-host or amqps://….";

test.each([
  ["no url at all", `The broker's URL is not a URL: ${expected}`],
  ["http://me:secret@localhost", `The broker's URL begins with http: but ${expected}`],
  ["amqp://me:%zz@localhost", `The broker's URL is not a URL: ${expected}`],
  ["amqp://localhost?heartbeat=abc", /wrong heartbeat: it takes 0, or a whole number from 1 to 65535\.$/],
  ["amqp://localhost?heartbeat=-5", /wrong heartbeat/],
  ["amqp://localhost?channelMax=x", /wrong channelMax/],
  ["amqp://localhost?channel_max=70000", /wrong channel_max: .* 65535/],
  ["amqp://localhost?frame_max=100", /wrong frame_max: .* 4096/],
  ["amqp://localhost?maxFrameSize=1", /wrong maxFrameSize/],
  ["amqp://localhost?connection_timeout=0", /wrong connection_timeout: it takes a whole number from 1/],
  ["amqp://localhost?locale=de_DE", /wrong locale: it takes en_US/],
  ["amqps://localhost?verify=verify_none", /wrong verify: it takes verify_peer/],
  ["amqp://localhost?auth_mechanism=external", /auth_mechanism, which needs amqps:\.$/],
  ["amqp://localhost?cacertfile=ca.pem", /cacertfile, which needs amqps:\.$/],
  ["amqps://localhost?auth_mechanism=none", /wrong auth_mechanism: it takes plain or external/],
  ["amqp://localhost?heart_beat=5", /not known here: "heart_beat"\. Known are heartbeat, /],
  ["amqp://localhost?%1b[31m=5", /not known here: "\\u001b\[31m"/],
  [`amqp://localhost/${"v".repeat(256)}`, /virtual host of more than 255 bytes/],
  ["amqp://one/ amqp://me:secret@two", /holds several URLs\. A comma separates/],
])("refuses %s in one line, without its password", async (url, message) => {
  const error = await connect({ url }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(BrokerError);
  expect((error as BrokerError).message).toMatch(message);
  expect((error as BrokerError).message).not.toMatch(/\n|secret/);
});

test("names the peer that doesn't speak AMQP", async () => {
  const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(connect({ url: `amqp://127.0.0.1:${port}` })).rejects.toThrow(
    `amqp://127.0.0.1:${port} doesn't speak AMQP. RabbitMQ's port is usually 5672, or 5671 with amqps:.`,
  );
  server.close();
});

test("shows control characters in what the broker quotes", async ({ virtualHost }) => {
  const connection = await connect({ url: virtualHost.amqpUrl });
  const channel = await connection.createChannel();
  await channel.assertQueue("quoted", { arguments: { "x-dead-letter-exchange": "red \x1b[31m" } });
  const setup = async (connection: Channels) => {
    await (await connection.createChannel()).assertQueue("quoted");
  };
  const error = await connect({ url: virtualHost.amqpUrl, setup }).catch((error: unknown) => error);
  expect((error as Error).message).toMatch(
    /^The queue "quoted" exists with another x-dead-letter-exchange: .*red \\x1b\[31m/,
  );
  await connection.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
