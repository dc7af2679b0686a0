import { connect } from "amqplib";
import { manners, scenarios, test } from "testkit";
import { expect } from "vitest";
import { declareConfirms, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Parameters<typeof declareConfirms>[0]) =>
  channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "classic" } });
manners({
  pub: {
    args: ["async", "--count", "1"],
    conflict,
    wrong: [["quickly"], ["--count", "0"], ["--count", "many"]],
  },
  sub: { conflict, wrong: [["something"]], stays: true },
});

const strategies = { individual: "individually", batch: "in batches of 100", async: "asynchronously" };

for (const [strategy, name] of Object.entries(strategies)) {
  test(`${name}: all arrive, and none twice`, async ({ run }) => {
    const subscriber = run("sub");
    expect(await run("pub", strategy, "--count", "250").exit).toEqual({ code: 0, signal: null });
    await subscriber.printed(` [x] All 250 messages, published ${name}`);
    subscriber.press("^C");
    await subscriber.exit;
    expect(subscriber.lines).toHaveLength(2);
  });

  test(`${name}: what a full queue refuses is published again, and nothing else`, async ({
    channel,
    management,
    virtualHost,
    run,
  }) => {
    await declareConfirms(channel);
    const policy = `/policies/${virtualHost.name}/short`;
    const definition = { "max-length": 10, overflow: "reject-publish" };
    await management("PUT", policy, { pattern: `^${queue}$`, definition, "apply-to": "queues" });
    await expect
      .poll(() => management("GET", `/queues/${virtualHost.name}/${queue}`), { timeout: 30_000 })
      .toMatchObject({ policy: "short" });

    const publisher = run("pub", strategy, "--count", "500");
    await publisher.printed(/^ \[!\] RabbitMQ refused or returned messages\. Publishing \d+ again/);

    await management("DELETE", policy);
    const subscriber = run("sub");
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    await subscriber.printed(` [x] All 500 messages, published ${name}`);
    subscriber.press("^C");
    await subscriber.exit;
    // None came twice: each had been confirmed or refused before any was published again.
    expect(subscriber.lines).toHaveLength(2);
  });
}

test("none is lost when the broker dies in the middle", { timeout: 240_000 }, async ({
  privateBroker,
  runWith,
  onTestFinished,
}) => {
  const { amqpUrl } = privateBroker;
  // So many that each is still at work when the first of its messages are in the queue.
  for (const [strategy, count] of [
    ["individual", 1_000],
    ["batch", 10_000],
    ["async", 30_000],
  ] as const) {
    const connection = await connect(amqpUrl);
    onTestFinished(() => connection.close().catch(() => {}));
    connection.on("error", () => {});
    const channel = await connection.createChannel();
    // What comes back from the last subscriber isn't this publisher's.
    await channel.deleteQueue(queue);
    await declareConfirms(channel);
    await privateBroker.settle();

    const publisher = runWith({ amqpUrl }, "pub", strategy, "--count", String(count));
    await expect
      .poll(async () => (await channel.checkQueue(queue)).messageCount, { timeout: 30_000, interval: 5 })
      .toBeGreaterThan(0);
    await privateBroker.kill();
    await publisher.printed(/Connection lost/);
    await privateBroker.start();
    const subscriber = runWith({ amqpUrl }, "sub");
    await subscriber.printed(` [x] All ${count} messages, published ${strategies[strategy]}`, {
      within: 60_000,
    });
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    await subscriber.close();
  }
});

test("what goes down with its queue, or comes back because the queue is gone, is published again", async ({
  channel,
  run,
}) => {
  await declareConfirms(channel);
  const messages = async () => (await channel.checkQueue(queue)).messageCount;
  const publisher = run("pub", "async", "--count", "30000");
  await expect.poll(messages, { interval: 5 }).toBeGreaterThan(0);
  await channel.deleteQueue(queue);
  // They come back, or RabbitMQ 3.10 never answers for those on their way into the queue, or ends the connection (541).
  await publisher.printed(
    /^ \[!\] (RabbitMQ refused or returned|Nothing confirmed for 10 s|Connection lost)/,
    {
      within: 30_000,
    },
  );
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  // It declared the queue again.
  expect(await messages()).toBeGreaterThan(0);
  await channel.deleteQueue(queue);
});

test("each message has an id of its own, and comes back where it finds no queue", async ({
  virtualHost,
  runWith,
  wireTo,
}) => {
  const wire = await wireTo(virtualHost.amqpUrl);
  const published: { id: string | undefined; mandatory: boolean }[] = [];
  wire.on("said", (said) => {
    if (said.method === "basic.publish")
      published.push({ id: said.content?.properties.messageId, mandatory: said.fields.mandatory });
  });
  expect(await runWith({ amqpUrl: wire.amqpUrl }, "pub", "async", "--count", "3").exit).toMatchObject({
    code: 0,
  });
  expect(new Set(published.map(({ id }) => id)).size).toBe(3);
  expect(published.map(({ mandatory }) => mandatory)).toEqual([true, true, true]);
});

test("a message of another program is shown, not obeyed, and not counted", async ({ channel, run }) => {
  await declareConfirms(channel);
  channel.sendToQueue(queue, Buffer.from("\x1b[2J"), { messageId: "x/1" });
  const subscriber = run("sub");
  await subscriber.printed(" [!] Not a message of pub: \\x1b[2J");
  await run("pub", "async", "--count", "3").exit;
  await subscriber.printed(" [x] All 3 messages, published asynchronously");
});
