import amqp from "amqplib";
import { expect } from "vitest";
import { test } from "./own-host.ts";

// What docs/security.md says of limits: a program that runs into one is told so in a line, and ends.

test("a user's limit of connections", async ({ broker, ownHost, runWith }) => {
  const user = await broker.createUser({ vhost: ownHost.name, configure: ".*", write: ".*", read: ".*" });
  await broker.management("PUT", `/user-limits/${user.name}/max-connections`, { value: 1 });
  const first = await amqp.connect(user.amqpUrl, { noDelay: true });
  const second = runWith({ amqpUrl: user.amqpUrl }, "test:publisher", "queue");
  expect(await second.exit).toEqual({ code: 1, signal: null });
  expect(second.lines).toEqual([expect.stringMatching(/ or has as many connections as it may\.$/)]);
  await first.close();
  await user.delete();
});

test("a virtual host's limit of queues", async ({ broker, ownHost, runWith }) => {
  await broker.management("PUT", `/vhost-limits/${ownHost.name}/max-queues`, { value: 0 });
  const publisher = runWith({ amqpUrl: ownHost.amqpUrl }, "test:publisher", "queue");
  expect(await publisher.exit).toEqual({ code: 1, signal: null });
  expect(publisher.lines).toEqual([expect.stringMatching(/ says: .*queue limit .*reached/)]);
});

test("a message above max_message_size", async ({ broker, virtualHost }) => {
  const largest = (broker.version.startsWith("3.") ? 128 : 16) * 1024 * 1024;
  const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
  connection.on("error", () => {});
  const channel = await connection.createConfirmChannel();
  const failed = new Promise<Error>((resolve) => channel.once("error", resolve));
  await channel.assertQueue("large", { durable: true });
  channel.sendToQueue("large", Buffer.alloc(largest + 1));
  expect((await failed).message).toMatch(/PRECONDITION_FAILED - message size \d+ is larger than/);
  await connection.close();
});
