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

test.beforeEach(async ({ channel }) => {
  await channel.deleteQueue(queue);
});

const strategies = { individual: "individually", batch: "in batches of 100", async: "asynchronously" };

for (const [strategy, name] of Object.entries(strategies)) {
  test(`${name}: all arrive, and none twice`, async ({ run }) => {
    const subscriber = run("sub");
    const publisher = run("pub", strategy, "--count", "250");
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
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
    onTestFinished,
  }) => {
    await declareConfirms(channel);
    const policy = `/policies/${virtualHost.name}/short`;
    await management("PUT", policy, {
      pattern: `^${queue}$`,
      definition: { "max-length": 10, overflow: "reject-publish" },
      "apply-to": "queues",
    });
    onTestFinished(() => management("DELETE", policy));
    await policyInForce(management, virtualHost.name);

    const publisher = run("pub", strategy, "--count", "500");
    const [line = ""] = await publisher.printed(/unconfirmed \(refused/);
    const { messageCount: accepted } = await channel.checkQueue(queue);
    expect(Number(/\d+/.exec(line)?.[0])).toBe(500 - accepted);

    await management("DELETE", policy);
    const subscriber = run("sub");
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    await subscriber.printed(` [x] All 500 messages, published ${name}`);
    subscriber.press("^C");
    await subscriber.exit;
    // None came twice: each had been confirmed or refused before any was published again.
    expect(subscriber.lines).toHaveLength(2);
  });

  test(`${name}: none is lost when the broker dies in the middle`, async ({ privateBroker, runWith }) => {
    const { amqpUrl } = privateBroker;
    const subscriber = runWith({ amqpUrl }, "sub");
    await subscriber.printed(/Waiting/);
    await privateBroker.settle();
    const count = String(strategy === "individual" ? 3_000 : 100_000);
    const publisher = runWith({ amqpUrl }, "pub", strategy, "--count", count);
    await expect
      .poll(() => privateBroker.management<{ message_stats?: object }>("GET", `/queues/%2F/${queue}`), {
        timeout: 30_000,
      })
      .toMatchObject({ message_stats: { publish: expect.any(Number) } });
    await privateBroker.kill();
    await publisher.printed(/unconfirmed \(the connection was lost\)/);
    await privateBroker.start();
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    await subscriber.printed(` [x] All ${count} messages, published ${name}`, { within: 60_000 });
  }, 180_000);
}

test("what is returned because its queue is gone is published again", async ({ channel, run }) => {
  await declareConfirms(channel);
  const publisher = run("pub", "async", "--count", "30000");
  await expect
    .poll(async () => (await channel.checkQueue(queue)).messageCount, { timeout: 30_000 })
    .toBeGreaterThan(0);
  await channel.deleteQueue(queue);
  await publisher.printed(/unconfirmed \(returned/);
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect((await channel.checkQueue(queue)).messageCount).toBeGreaterThan(0);
});

test("a message of somebody else's is shown, not obeyed, and not counted", async ({ channel, run }) => {
  await declareConfirms(channel);
  channel.sendToQueue(queue, Buffer.from("\x1b[2J"), { messageId: "x/1" });
  const subscriber = run("sub");
  await subscriber.printed(" [!] A message of somebody else's: \\x1b[2J");
  await run("pub", "async", "--count", "3").exit;
  await subscriber.printed(" [x] All 3 messages, published asynchronously");
});

async function policyInForce(
  management: (method: "GET", path: string) => Promise<unknown>,
  virtualHost: string,
) {
  await expect
    .poll(() => management("GET", `/queues/${virtualHost}/${queue}`), { timeout: 30_000 })
    .toMatchObject({ policy: "short" });
}
