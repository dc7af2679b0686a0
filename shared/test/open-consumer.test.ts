import { beforeEach, expect, vi } from "vitest";
import { BrokerError, type ConsumerChannel, openConsumer } from "../src/index.ts";
import { test } from "./own-host.ts";
import { declareWork } from "./programs/queue.ts";
import { send } from "./queues.ts";

const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  const errors = vi.spyOn(console, "error").mockImplementation((line) => void said.push(line));
  return () => {
    errors.mockRestore();
    vi.unstubAllEnvs();
  };
});

test("is ready before it hands over the first message", async ({ channel, virtualHost }) => {
  vi.stubEnv("AMQP_URL", virtualHost.amqpUrl);
  await send(channel, "one");
  await channel.waitForConfirms();
  const events: string[] = [];
  const consumer = await openConsumer(async (channel) => {
    await channel.consume("work", (delivery) => {
      events.push(`got ${delivery.content}`);
      channel.ack(delivery);
    });
  });
  await consumer.ready;
  events.push("ready");
  await expect.poll(() => events).toEqual(["ready", "got one"]);
  await consumer.stop();
  await consumer.close();
});

test("gives each setup its connection, to publish on with confirms", async ({ broker, ownHost }) => {
  vi.stubEnv("AMQP_URL", ownHost.amqpUrl);
  const got: string[] = [];
  let number = 0;
  const consumer = await openConsumer(async (channel, connection) => {
    await declareWork(channel);
    await channel.consume("work", (delivery) => {
      got.push(delivery.content.toString());
      channel.ack(delivery);
    });
    const publisher = await connection.createConfirmChannel();
    publisher.sendToQueue("work", Buffer.from(`from connection ${++number}`));
    await publisher.waitForConfirms();
  });
  await consumer.ready;
  await expect.poll(() => got).toEqual(["from connection 1"]);
  await broker.closeConnections(ownHost.name);
  await expect.poll(() => got, { timeout: 15_000 }).toEqual(["from connection 1", "from connection 2"]);
  await consumer.stop();
  await consumer.close();
});

test("doesn't subscribe again once it is stopped", async ({ broker, ownHost }) => {
  vi.stubEnv("AMQP_URL", ownHost.amqpUrl);
  const setup = vi.fn(async (channel: ConsumerChannel) => {
    await declareWork(channel);
    await channel.consume("work", () => {});
  });
  const consumer = await openConsumer(setup);
  await consumer.ready;
  await consumer.stop();
  await broker.closeConnections(ownHost.name);
  await expect.poll(() => said, { timeout: 15_000 }).toContain(" [!] Connected again.");
  await consumer.close();
  expect(setup).toHaveBeenCalledOnce();
});

test("tells of a refusal that comes later", async ({ broker, ownHost }) => {
  const user = await broker.createUser({ vhost: ownHost.name, configure: ".*", write: "", read: ".*" });
  vi.stubEnv("AMQP_URL", user.amqpUrl);
  let publish = () => {};
  const consumer = await openConsumer(async (channel) => {
    await declareWork(channel);
    publish = () => channel.sendToQueue("work", Buffer.from("forbidden"));
  });
  await consumer.ready;
  publish();
  await expect(consumer.refused).rejects.toThrow(BrokerError);
  await expect(consumer.refused).rejects.toThrow(/ says: .*refused/);
  await consumer.close();
  await user.delete();
});
