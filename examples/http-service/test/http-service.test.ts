import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "broker";
import { test as base, scenarios } from "testkit";
import { afterAll, expect } from "vitest";
import { deadQueue, queue } from "../src/orders.ts";

// The page's orders, and what a reader has processed before, stay apart.
process.env.ORDERS_FOLDER = mkdtempSync(join(tmpdir(), "http-service-page-"));
afterAll(() => rmSync(process.env.ORDERS_FOLDER as string, { recursive: true }));

scenarios();

const LAMP = { item: "lamp", quantity: 1 };

/** `start` runs the service and a worker, with a ledger of the test's own, and waits until they are ready. */
const test = base.extend("start", ({ runWith, virtualHost }, { onCleanup }) => {
  const ORDERS_FOLDER = mkdtempSync(join(tmpdir(), "http-service-"));
  onCleanup(() => rmSync(ORDERS_FOLDER, { recursive: true }));
  return {
    /** The ids of the orders that were processed. */
    processed: () => readdirSync(ORDERS_FOLDER).map((file) => file.replace(/\.json$/, "")),
    read: (id: string) => JSON.parse(readFileSync(join(ORDERS_FOLDER, `${id}.json`), "utf8")),
    async worker({ amqpUrl = virtualHost.amqpUrl, away = false } = {}) {
      const worker = runWith({ amqpUrl, env: { ORDERS_FOLDER } }, "worker");
      await worker.printed(away ? /Waiting \.\.\."/ : /"msg":"Waiting for orders"/);
      return worker;
    },
    async service({ amqpUrl = virtualHost.amqpUrl, env = {} } = {}) {
      const [port] = await freePorts(1);
      const terminal = runWith({ amqpUrl, env: { PORT: String(port), ...env } }, "service");
      await terminal.printed(/"msg":"Server listening at /);
      const url = `http://127.0.0.1:${port}`;
      return {
        terminal,
        async order(body: unknown, key?: string) {
          const headers = { "content-type": "application/json", ...(key ? { "idempotency-key": key } : {}) };
          const response = await fetch(`${url}/orders`, {
            method: "POST",
            headers,
            body: JSON.stringify(body),
          });
          const answer = (await response.json()) as { id: string; error?: string };
          return { status: response.status, retryAfter: response.headers.get("retry-after"), ...answer };
        },
        async health(kind: "live" | "ready") {
          const response = await fetch(`${url}/health/${kind}`);
          return { status: response.status, body: await response.json() };
        },
      };
    },
  };
});

const OPEN = { status: 200, body: { broker: "open" } };
const LIVE = { status: 200, body: { status: "ok" } };
const ENDED_WELL = { code: 0, signal: null };

test("an order that is accepted is processed, and once only when its key comes twice", async ({ start }) => {
  const worker = await start.worker();
  const { order } = await start.service();
  expect(await order(LAMP, "invoice-17")).toMatchObject({ status: 202, id: "invoice-17" });
  // The worker has several orders in hand, so the second one could overtake the first.
  await worker.printed(/"id":"invoice-17","msg":"Order processed"/);
  expect(await order({ item: "other", quantity: 2 }, "invoice-17")).toMatchObject({ status: 202 });
  await worker.printed(/"id":"invoice-17","msg":"Order was processed before"/);
  expect(start.read("invoice-17")).toEqual(LAMP);
  expect(start.processed()).toEqual(["invoice-17"]);
});

test("without a key, each order has an id of its own", async ({ start }) => {
  await start.worker();
  const { order } = await start.service();
  const ids = [(await order(LAMP)).id, (await order(LAMP)).id].sort();
  await expect.poll(() => start.processed().sort()).toEqual(ids);
});

test("what is no order is turned down, and not published", async ({ start, channel }) => {
  const { order } = await start.service();
  for (const body of [{}, [], null, "lamp", { ...LAMP, quantity: 0 }, { ...LAMP, quantity: "1" }])
    expect(await order(body), JSON.stringify(body)).toMatchObject({ status: 400 });
  for (const key of ["../../etc/passwd", "k".repeat(65)])
    expect(await order(LAMP, key)).toMatchObject({ status: 400, error: "Wrong Idempotency-Key" });
  expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
});

test("a message that is no order goes to the dead letter queue, and the next is processed", async ({
  start,
  channel,
}) => {
  const worker = await start.worker();
  const bad = [
    { body: "{", messageId: "a" },
    { body: JSON.stringify(LAMP), messageId: "../b" },
    { body: JSON.stringify(LAMP), messageId: undefined },
    { body: '{"item":"lamp"}', messageId: "c" },
  ];
  for (const { body, messageId } of bad)
    channel.sendToQueue(queue, Buffer.from(body), messageId === undefined ? {} : { messageId });
  channel.sendToQueue(queue, Buffer.from(JSON.stringify(LAMP)), { messageId: "good" });
  await worker.printed(/"id":"good","msg":"Order processed"/);
  await expect.poll(() => channel.checkQueue(deadQueue)).toMatchObject({ messageCount: bad.length });
  expect(start.processed()).toEqual(["good"]);
});

test("both start while the broker is away, and work when it comes", async ({
  start,
  virtualHost,
  wireTo,
}) => {
  const wire = await wireTo(virtualHost.amqpUrl);
  await wire.unplug();
  const worker = await start.worker({ amqpUrl: wire.amqpUrl, away: true });
  const { order, health } = await start.service({ amqpUrl: wire.amqpUrl, env: { CONFIRM_DEADLINE: "200" } });
  expect(await health("live")).toEqual(LIVE);
  expect(await health("ready")).toEqual({ status: 503, body: { broker: "connecting" } });
  expect(await order(LAMP, "early")).toMatchObject({ status: 503, retryAfter: "2", id: "early" });

  await wire.plugIn();
  await expect.poll(() => health("ready")).toEqual(OPEN);
  expect(await order(LAMP, "late")).toMatchObject({ status: 202 });
  await worker.printed(/"id":"late","msg":"Order processed"/);
  // What was answered 503 before it could be published is not published later.
  expect(start.processed()).toEqual(["late"]);
});

test("every order that was accepted is processed once, although the broker restarts under load", {
  timeout: 180_000,
}, async ({ start, privateBroker }) => {
  const { amqpUrl } = privateBroker;
  const workers = [await start.worker({ amqpUrl }), await start.worker({ amqpUrl })];
  const { terminal, order, health } = await start.service({ amqpUrl, env: { CONFIRM_DEADLINE: "500" } });
  await expect.poll(() => health("ready")).toEqual(OPEN);
  await privateBroker.settle();

  const accepted: string[] = [];
  const answers = new Map<number, number>();
  let loading = true;
  const customer = async (name: string) => {
    for (let number = 1; loading; number++) {
      const id = `${name}-${number}`;
      // The same key until it is accepted, as a careful client does it.
      for (let answered = 0; loading && answered !== 202; ) {
        answered = (await order(LAMP, id)).status;
        answers.set(answered, (answers.get(answered) ?? 0) + 1);
        if (answered === 202) accepted.push(id);
      }
      await pause(5);
    }
  };
  const load = Promise.all(["a", "b", "c", "d"].map(customer));
  await expect.poll(() => accepted.length).toBeGreaterThan(50);

  await privateBroker.kill();
  await expect.poll(() => answers.get(503) ?? 0).toBeGreaterThan(4);
  expect(await health("live")).toEqual(LIVE);
  expect((await health("ready")).status).toBe(503);
  await privateBroker.start();
  const before = accepted.length;
  await expect.poll(() => accepted.length).toBeGreaterThan(before + 50);
  loading = false;
  await load;

  expect([...answers.keys()].sort()).toEqual([202, 503]);
  await expect.poll(() => accepted.filter((id) => !start.processed().includes(id))).toEqual([]);
  for (const each of [terminal, ...workers]) {
    each.terminate();
    expect(await each.exit).toEqual(ENDED_WELL);
  }
  const ids = workers.flatMap(({ lines }) =>
    lines.flatMap((line) => {
      const { id, msg } = JSON.parse(line);
      return msg === "Order processed" ? [id as string] : [];
    }),
  );
  expect(ids).toHaveLength(new Set(ids).size);
});

test("while the broker accepts no messages, orders are answered 503", { timeout: 120_000 }, async ({
  start,
  privateBroker,
}) => {
  const { amqpUrl } = privateBroker;
  const { order, health } = await start.service({ amqpUrl, env: { CONFIRM_DEADLINE: "500" } });
  await expect.poll(() => health("ready")).toEqual(OPEN);
  await privateBroker.memoryAlarm(true);
  // The broker says that it accepts nothing when it is sent something.
  expect(await order(LAMP)).toMatchObject({ status: 503, retryAfter: "2" });
  await expect.poll(() => health("ready")).toEqual({ status: 503, body: { broker: "blocked" } });
  expect(await health("live")).toEqual(LIVE);
  await privateBroker.memoryAlarm(false);
  await expect.poll(() => health("ready")).toEqual(OPEN);
  expect(await order(LAMP)).toMatchObject({ status: 202 });
});

test("SIGTERM: a request in hand gets its answer", async ({ start, virtualHost, wireTo }) => {
  const wire = await wireTo(virtualHost.amqpUrl);
  const { terminal, order, health } = await start.service({ amqpUrl: wire.amqpUrl });
  await expect.poll(() => health("ready")).toEqual(OPEN);
  const published = new Promise<void>((resolve) => {
    wire.on("said", ({ method }) => method === "basic.publish" && resolve());
  });
  wire.hold("to-client");
  const answer = order(LAMP);
  await published;
  terminal.terminate();
  await expect.poll(() => health("live").catch(() => "refused")).toBe("refused");
  wire.release();
  expect(await answer).toMatchObject({ status: 202 });
  expect(await terminal.exit).toEqual(ENDED_WELL);
});

test("SIGTERM ends both while the broker is away", async ({ start }) => {
  const amqpUrl = "amqp://127.0.0.1:1";
  const { terminal } = await start.service({ amqpUrl });
  const worker = await start.worker({ amqpUrl, away: true });
  for (const each of [terminal, worker]) {
    each.terminate();
    expect(await each.exit, each.lines.join("\n")).toEqual(ENDED_WELL);
  }
});

test("a refused login ends both, in the log and without the password", async ({
  start,
  runWith,
  virtualHost,
}) => {
  const amqpUrl = virtualHost.amqpUrl.replace(/:[^:@]+@/, ":mistaken-password@");
  const { terminal } = await start.service({ amqpUrl });
  const worker = runWith({ amqpUrl }, "worker");
  for (const each of [terminal, worker]) {
    expect(await each.exit).toEqual({ code: 1, signal: null });
    expect(each.lines.at(-1)).toMatch(/^\{"level":60,.*refused the login/);
    expect(each.lines.join()).not.toContain("mistaken-password");
  }
});

test("a wrong configuration: each variable that is wrong, and exit code 1", async ({ runWith }) => {
  for (const script of ["service", "worker"]) {
    const wrong = runWith({ env: { PORT: "http", CONFIRM_DEADLINE: "0" } }, script);
    expect(await wrong.exit).toEqual({ code: 1, signal: null });
    expect(wrong.errors.filter((line) => line.includes("→"))).toEqual([
      "  → at PORT",
      "  → at CONFIRM_DEADLINE",
    ]);
  }
});
