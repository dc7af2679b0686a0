import { test } from "testkit";
import { expect } from "vitest";

const program = "test:publisher";

test("returns when the broker has every message, and what its work returned", async ({ channel, run }) => {
  const publisher = run(program, "all", "20000");
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect(publisher.lines).toEqual(["confirmed, 42"]);
  expect((await channel.checkQueue("all")).messageCount).toBe(20_000);
});

test.for([
  ["at the end of its work", "short", "3", "2"],
  ["while its work still goes on", "slow", "20", "2", "50"],
])("says that the broker has refused a message %s", async ([, ...args], { run }) => {
  const publisher = run(program, ...args);
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
  wireTo,
}) => {
  const wire = await wireTo(virtualHost.amqpUrl);
  void wire.stopAt({ method: "channel.close" }).then(() => wire.cut());
  const publisher = runWith({ amqpUrl: wire.amqpUrl }, program, "cut");
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect(publisher.lines).toEqual(["confirmed, 42"]);
});

test("leaves a fault of the program as it is", async ({ run }) => {
  const publisher = run(program, "faulty");
  expect(await publisher.exit).toEqual({ code: 1, signal: null });
  expect(publisher.errors.join("\n")).toMatch(/Error: a fault of the program\n\s+at /);
});
