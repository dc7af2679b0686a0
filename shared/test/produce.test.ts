import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { test } from "testkit";
import { expect } from "vitest";

const program = "test:publisher";

test("returns when the broker has every message, and what its work returned", async ({ channel, run }) => {
  const publisher = run(program, "all", "20000");
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect(publisher.lines).toEqual(["confirmed, 42"]);
  expect((await channel.checkQueue("all")).messageCount).toBe(20_000);
});

test("says that the broker has refused a message", async ({ run }) => {
  const publisher = run(program, "short", "3", "2");
  expect(await publisher.exit).toEqual({ code: 1, signal: null });
  expect(publisher.lines).toEqual(["RabbitMQ refused a message (nack). Is its queue full?"]);
});

test("says that the connection was lost before the last confirm", async ({ privateBroker, runWith }) => {
  const publisher = runWith({ amqpUrl: privateBroker.amqpUrl }, program, "held");
  await publisher.printed("published");
  await privateBroker.kill();
  expect(await publisher.exit).toEqual({ code: 1, signal: null });
  expect(publisher.errors).toEqual([
    expect.stringMatching(/^The connection to amqp:.* was lost/),
    "What it had not confirmed may or may not have arrived.",
  ]);
});

test("is content when the connection is lost after the last confirm", async ({
  virtualHost,
  runWith,
  onTestFinished,
}) => {
  const { port, pathname } = new URL(virtualHost.amqpUrl);
  // channel.close of AMQP 0-9-1: class 20, method 40
  const closing = Buffer.from([0, 20, 0, 40]);
  const proxy = createServer((client) => {
    const broker = dial(Number(port), "127.0.0.1");
    for (const socket of [client, broker]) socket.on("error", () => {});
    client.on("data", (bytes) => {
      if (bytes.includes(closing)) client.destroy();
      else broker.write(bytes);
    });
    broker.pipe(client);
    client.on("close", () => broker.destroy());
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");

  const amqpUrl = `amqp://127.0.0.1:${(proxy.address() as AddressInfo).port}${pathname}`;
  const publisher = runWith({ amqpUrl }, program, "cut");
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect(publisher.lines).toEqual(["confirmed, 42"]);
});

test("leaves a fault of the program as it is", async ({ run }) => {
  const publisher = run(program, "faulty");
  expect(await publisher.exit).toEqual({ code: 1, signal: null });
  expect(publisher.errors.join("\n")).toMatch(/Error: a fault of the program\n\s+at /);
});
