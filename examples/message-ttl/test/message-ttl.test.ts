import type { Channel, ConfirmChannel, ConsumeMessage, GetMessage, Options } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { declareOffers, expired, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(queue, { arguments: { "x-queue-type": "classic", "x-message-ttl": 1 } });
manners({
  pub: {
    wrong: [
      ["--ttl", "soon"],
      ["--ttl", "-1"],
      ["--ttl", "1.5"],
      ["--ttl", "315360000001"],
    ],
    conflict,
  },
  sub: { wrong: [["offers"]], stays: true, conflict },
  expired: { wrong: [["offers"]], stays: true, conflict },
});

/** ms; a bound for what takes two seconds by itself. */
const within = 30_000;
const ready = " [*] Waiting for offers. To exit press CTRL+C";

describe("with empty queues", () => {
  test.beforeEach(async ({ channel }) => {
    for (const name of [queue, expired]) await channel.deleteQueue(name);
    await declareOffers(channel);
  });

  test("a message expires after its own TTL or its queue's, whichever is shorter", async ({
    channel,
    run,
  }) => {
    await pub(run, "--ttl", "1", "Flash sale");
    await pub(run, "Spring sale");
    // Ten years, the broker's limit.
    await pub(run, "--ttl", "315360000000", "Summer sale");
    const dead = [await next(channel, expired), await next(channel, expired), await next(channel, expired)];
    expect(dead.map(({ content, properties }) => [`${content}`, deathOf(properties.headers)])).toEqual([
      ["Flash sale", { reason: "expired", queue, "original-expiration": "1" }],
      ["Spring sale", { reason: "expired", queue }],
      ["Summer sale", { reason: "expired", queue, "original-expiration": "315360000000" }],
    ]);
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
  });

  test("a subscriber gets what its TTL leaves: nothing from before, all from now on", async ({
    channel,
    run,
  }) => {
    await pub(run, "--ttl", "0", "Too early");
    const subscriber = run("sub");
    await subscriber.printed(ready);
    for (const offer of ["One", "Two"]) await pub(run, "--ttl", "0", offer);
    await subscriber.printed(" [x] Received Two");
    expect(subscriber.lines).toEqual([ready, " [x] Received One", " [x] Received Two"]);
    subscriber.press("^C");
    await subscriber.exit;
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
    expect((await next(channel, expired)).content.toString()).toBe("Too early");
  });

  for (const [script, from, prefetch] of [
    // An offer that it holds doesn't expire.
    ["sub", queue, 1],
    ["expired", expired, 100],
  ] as const)
    test(`${script} holds ${prefetch} at most`, async ({ management, virtualHost, run }) => {
      await run(script).printed(/Waiting/);
      await expect
        .poll(() => management("GET", `/consumers/${virtualHost.name}`), { timeout: within })
        .toMatchObject([{ queue: { name: from }, prefetch_count: prefetch, ack_required: true }]);
    });

  test("the clock stops in a consumer's hands; what comes back too late expires at once", async ({
    channel,
  }) => {
    await channel.prefetch(1);
    let held: ConsumeMessage | null = null;
    const { consumerTag } = await channel.consume(queue, (delivery) => {
      held = delivery;
    });
    for (const body of ["in hand", "in the queue"])
      await publish(channel, queue, body, { expiration: "100" });
    // It has just as long to live, and is the younger one: when its time is up, so is the other's.
    expect((await next(channel, expired)).content.toString()).toBe("in the queue");
    expect(await channel.checkQueue(expired)).toMatchObject({ messageCount: 0 });
    await channel.cancel(consumerTag);
    channel.nack(held as unknown as ConsumeMessage);
    expect((await next(channel, expired)).content.toString()).toBe("in hand");
  });

  test("the queue goes when nobody has used it for eight seconds, and not before its messages", async ({
    channel,
    management,
    virtualHost,
    run,
  }) => {
    const subscriber = run("sub");
    await subscriber.printed(ready);
    subscriber.press("^C");
    await subscriber.exit;
    channel.sendToQueue(queue, Buffer.from("Nobody is here"));
    await channel.waitForConfirms();
    const queues = () => management<{ name: string }[]>("GET", `/queues/${virtualHost.name}`);
    const names = async () => (await queues()).map(({ name }) => name);
    await expect.poll(names, { timeout: within, interval: 250 }).toEqual([expired]);
    expect((await next(channel, expired)).content.toString()).toBe("Nobody is here");
  });

  test("expired takes what it shows", async ({ channel, run }) => {
    channel.sendToQueue(expired, Buffer.from("Gone"));
    const watcher = run("expired");
    await watcher.printed(" [x] Expired: Gone");
    watcher.press("^C");
    await watcher.exit;
    expect(await channel.checkQueue(expired)).toMatchObject({ messageCount: 0 });
  });

  test("pub shows what it sends, and obeys none of it", async ({ run }) => {
    const publisher = run("pub", "--ttl", "0", "\x1b[2J\nand\x07");
    await publisher.printed(" [x] Sent '\\x1b[2J\\nand\\x07', good for 0 ms");
  });

  for (const [script, from, line] of [
    ["sub", queue, " [x] Received "],
    ["expired", expired, " [x] Expired: "],
  ] as const)
    test(`${script} shows whatever comes, and obeys none of it`, async ({ channel, run }) => {
      const terminal = run(script);
      await terminal.printed(/Waiting/);
      const long = "x".repeat(2 ** 20);
      const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0x66, 0xff, 0x0a]), Buffer.from(long)];
      for (const body of [...bodies, Buffer.from("last")]) channel.sendToQueue(from, body);
      await terminal.printed(`${line}last`);
      expect(terminal.lines.slice(1)).toEqual(
        ["\\x1b[2J\\nand\\x07", "f\ufffd\\n", long, "last"].map((shown) => line + shown),
      );
    });
});

for (const type of ["classic", "quorum"]) {
  describe(`a ${type} queue`, () => {
    test("lets nothing expire but at its head", async ({ channel }) => {
      const name = await declare(channel, { "x-queue-type": type });
      await publish(channel, name, "no TTL");
      await publish(channel, name, "expired", { expiration: "0" });
      await publish(channel, name, "no TTL either");
      // It isn't delivered any more, but there it is.
      expect(await channel.checkQueue(name)).toMatchObject({ messageCount: 3 });
      expect((await next(channel, name)).content.toString()).toBe("no TTL");
      expect((await next(channel, expired)).content.toString()).toBe("expired");
      expect((await next(channel, name)).content.toString()).toBe("no TTL either");
    });

    test("with one TTL for all lets each go in its turn", async ({ channel }) => {
      const name = await declare(channel, { "x-queue-type": type, "x-message-ttl": 100 });
      for (const body of ["first", "second", "third"]) await publish(channel, name, body);
      for (const body of ["first", "second", "third"])
        expect((await next(channel, expired)).content.toString()).toBe(body);
    });
  });
}

test("a queue expires although it is published to, and its messages aren't dead-lettered", async ({
  channel,
  management,
  virtualHost,
}) => {
  const name = await declare(channel, { "x-queue-type": "classic", "x-expires": 500 });
  const message = { routing_key: name, payload: "lost", payload_encoding: "string", properties: {} };
  const attempt = () => management("POST", `/exchanges/${virtualHost.name}/amq.default/publish`, message);
  expect(await attempt()).toEqual({ routed: true });
  await expect.poll(attempt, { timeout: within }).toEqual({ routed: false });
  await publish(channel, expired, "next");
  expect((await next(channel, expired)).content.toString()).toBe("next");
});

test("a queue that somebody looks at doesn't expire", async ({ channel, management, virtualHost }) => {
  const used = await declare(channel, { "x-queue-type": "classic", "x-expires": 3_000 }, "used");
  await declare(channel, { "x-queue-type": "classic", "x-expires": 3_000 }, "unused");
  // The one that is looked at is the older one, so without that it would be the first to go.
  const names = async () => {
    await channel.checkQueue(used);
    const queues = await management<{ name: string }[]>("GET", `/queues/${virtualHost.name}`);
    return queues.map(({ name }) => name);
  };
  expect(await names()).toContain("unused");
  await expect.poll(names, { timeout: within }).not.toContain("unused");
  expect(await names()).toContain(used);
  await channel.deleteQueue(used);
});

/** Publishes an offer, which the broker has confirmed when this returns. */
async function pub(run: Run, ...words: string[]) {
  const { exit, lines } = run("pub", ...words);
  expect(await exit, lines.join("\n")).toEqual({ code: 0, signal: null });
}

async function publish(channel: ConfirmChannel, to: string, body: string, options: Options.Publish = {}) {
  channel.sendToQueue(to, Buffer.from(body), options);
  await channel.waitForConfirms();
}

/** Declares a queue whose dead messages go to the same place as those of the scripts', and empties that place. */
async function declare(channel: ConfirmChannel, args: Record<string, unknown>, name = "test") {
  await declareOffers(channel);
  await channel.purgeQueue(expired);
  await channel.deleteQueue(name);
  await channel.assertQueue(name, {
    durable: true,
    arguments: { ...args, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": expired },
  });
  return name;
}

/** Takes the next message out of a queue, as soon as there is one. It is acknowledged with the channel's end. */
async function next(channel: ConfirmChannel, from: string): Promise<GetMessage> {
  let message: GetMessage | false = false;
  await expect
    .poll(async () => (message = await channel.get(from)), { timeout: within, interval: 50 })
    .not.toBe(false);
  return message as unknown as GetMessage;
}

/** What the broker has noted about a message's only death, without time and route. */
function deathOf(headers: GetMessage["properties"]["headers"]) {
  const deaths = headers?.["x-death"] ?? [];
  expect(deaths).toHaveLength(1);
  const { time: _, count: __, exchange: ___, "routing-keys": ____, ...death } = { ...deaths[0] };
  return death;
}
