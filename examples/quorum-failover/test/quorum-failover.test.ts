import amqp, { type Channel } from "amqplib";
import { type Cluster, startCluster } from "broker";
import { test as base, manners, scenarios } from "testkit";
import { expect, vi } from "vitest";
import { declareFailover, queue } from "../src/topology.ts";

// ms; a bound for killing and starting nodes on a loaded machine
vi.setConfig({ testTimeout: 180_000 });

scenarios();

const conflict = (channel: Parameters<typeof declareFailover>[0]) =>
  channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "classic" } });
manners({
  pub: {
    args: ["--count", "1"],
    conflict,
    wrong: [["something"], ["--count", "0"], ["--count", "many"], ["--rate", "0"]],
  },
  sub: { conflict, wrong: [["something"]], stays: true },
});

const test = base
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the source which fixtures it needs.
  .extend("cluster", { scope: "file" }, async ({}, { onCleanup }): Promise<Cluster> => {
    const cluster = await startCluster();
    onCleanup(() => cluster.stop());
    return cluster;
  })
  .extend("place", async ({ cluster }) => {
    const { name, amqpUrl } = await cluster.createVirtualHost();
    const urls = amqpUrl.split(",");
    const connection = await amqp.connect(urls[0] as string);
    await declareFailover(await connection.createChannel());
    await connection.close();
    await cluster.settle();
    return { name, urls };
  });

const allConfirmed = / \[x] All \d+ messages confirmed, (\d+) of them published more than once/;

test("every confirmed message arrives though the leader dies, and ids tell what comes twice", async ({
  cluster,
  place: { name, urls },
  runWith,
}) => {
  const { members } = await cluster.management<{ members: string[] }>("GET", `/queues/${name}/${queue}`);
  expect(members.toSorted()).toEqual(cluster.nodes.map((node) => node.name).toSorted());

  // The publisher is connected to the node that dies.
  const leader = await cluster.leader(name, queue);
  const own = urls[cluster.nodes.indexOf(leader)] as string;
  const others = urls.filter((url) => url !== own);
  const publisher = runWith({ amqpUrl: [own, ...others].join() }, "pub", "--count", "3000", "--rate", "300");
  await arrived(own);
  await leader.kill();
  const [line = ""] = await publisher.printed(allConfirmed, { within: 60_000 });
  expect(await publisher.exit).toEqual({ code: 0, signal: null });
  expect(publisher.errors.join()).toMatch(/Connection lost/);

  const stored = await arrived(others[0] as string);
  // It begins with the dead node, and goes to the next.
  const subscriber = runWith({ amqpUrl: [own, ...others].join() }, "sub");
  await subscriber.printed(" [x] All 3000 messages", { within: 60_000 });
  subscriber.press("^C");
  expect(await subscriber.exit).toEqual({ code: 0, signal: null });
  const twice = Number(/(\d+) came twice/.exec(subscriber.lines.join())?.[1]);
  expect(twice).toBe(stored - 3_000);
  expect(twice).toBeLessThanOrEqual(Number(allConfirmed.exec(line)?.[1]));
});

for (const [when, silence] of [
  ["at once", false],
  ["when it has waited for confirms in vain, and asked for another channel", true],
] as const)
  test(`a publisher whose connection is lost ${when} publishes again, with the same ids`, async ({
    channel,
    virtualHost,
    runWith,
    wireTo,
  }) => {
    await declareFailover(channel);
    await channel.purgeQueue(queue);
    const wire = await wireTo(virtualHost.amqpUrl);
    const messages = counting(channel);

    const publisher = runWith({ amqpUrl: wire.amqpUrl }, "pub", "--count", "100", "--rate", "50");
    await expect.poll(messages).toBeGreaterThan(10);
    // From here on messages arrive, and their confirms don't.
    wire.hold("to-client");
    await expect.poll(messages).toBeGreaterThan((await messages()) + 10);
    if (silence) await publisher.printed(/Nothing confirmed for 2 s/);
    wire.cut();
    wire.release();
    const [line = ""] = await publisher.printed(allConfirmed);
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    const twice = (await messages()) - 100;
    expect(twice).toBeGreaterThan(0);
    // What was on its way when the connection was cut arrived once.
    expect(twice).toBeLessThanOrEqual(Number(allConfirmed.exec(line)?.[1]));

    const subscriber = runWith({}, "sub");
    await subscriber.printed(" [x] All 100 messages");
    await expect.poll(messages).toBe(0);
    subscriber.press("^C");
    await subscriber.printed(` [x] ${twice} came twice, known by their ids`);
  });

/** Waits until the queue has messages, and returns how many. */
async function arrived(url: string): Promise<number> {
  const connection = await amqp.connect(url);
  connection.on("error", () => {});
  const channel = await connection.createChannel();
  const messages = counting(channel);
  await expect.poll(messages).toBeGreaterThan(0);
  const count = await messages();
  await connection.close();
  return count;
}

/** Makes a function that returns how many messages the queue has. */
const counting = (channel: Channel) => async () => (await channel.checkQueue(queue)).messageCount;
