import type { Channel, ConfirmChannel, ConsumeMessage } from "amqplib";
import type { Terminal } from "stage";
import { test as base, manners, type RunWith, scenarios } from "testkit";
import { expect } from "vitest";
import { declareEvents, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) => channel.assertQueue(queue);
manners({
  pub: { args: ["open"], wrong: [[]], conflict },
  worker: { wrong: [["now"], ["--takes", "long"]], stays: true, conflict },
});

const READY = " [*] Standing by for events. To exit press CTRL+C";

// Workers that the broker hasn't yet seen go end with their queue.
const test = base.extend("emptied", { auto: true }, async ({ channel }) => {
  await channel.deleteQueue(queue);
  await declareEvents(channel);
});

test("no event is out of order when the active worker is killed, twice", async ({ channel, runWith }) => {
  const workers = [
    await start(runWith, "first", "--takes", "30"),
    await start(runWith, "second", "--takes", "30"),
    await start(runWith, "third"),
  ] as const;
  const [first, second, third] = workers;
  await send(channel, 1, 40);
  await first.printed(" [x] Doing 5");
  first.kill();
  await second.printed(" [x] Doing 15");
  second.kill();
  await third.printed(" [x] Done 40");

  const [one, two, three] = workers.map(begun) as [number[], number[], number[]];
  expect(one).toEqual(range(1, one.length));
  // What was in hand comes first, and is marked. Its ack may have been lost.
  expect([one.length, one.length + 1]).toContain(two[0]);
  expect(two).toEqual(range(two[0] as number, two.at(-1) as number));
  expect([two.at(-1), (two.at(-1) as number) + 1]).toContain(three[0]);
  expect(three).toEqual(range(three[0] as number, 40));
  for (const worker of [second, third])
    expect(worker.lines[1]).toMatch(begun(worker)[0] === 1 ? / \d+$/ : / \d+( \(redelivered\))?$/);
});

test("those who stand by get nothing", async ({ channel, management, virtualHost, runWith }) => {
  const workers = [
    await start(runWith, "first"),
    await start(runWith, "second"),
    await start(runWith, "third"),
  ];
  await send(channel, 1, 50);
  await workers[0]?.printed(" [x] Done 50");
  expect(workers.map(({ lines }) => lines.length)).toEqual([101, 1, 1]);
  const consumers = () =>
    management<{ activity_status: string }[]>("GET", `/consumers/${virtualHost.name}`).then((found) =>
      found.map(({ activity_status }) => activity_status).toSorted(),
    );
  await expect.poll(consumers).toEqual(["single_active", "waiting", "waiting"]);
});

test("a worker whose connection is cut finishes its event, and stands by for its next turn", async ({
  broker,
  channel,
  virtualHost,
  runWith,
}) => {
  const first = await start(runWith, "first", "--takes", "8000");
  await send(channel, 1, 1);
  await first.printed(" [x] Doing 1");
  const second = await start(runWith, "second");
  await broker.closeConnections(virtualHost.name, /first$/);
  await second.printed(" [x] Done 1");
  await first.printed(READY, { times: 2 });
  await send(channel, 2, 3);
  await second.printed(" [x] Done 3");
  second.press("^C");
  await second.exit;
  await send(channel, 4, 4);
  // It is given this one while it still does the first, and keeps it until then.
  await first.printed(/Doing 4/);
  expect(second.lines).toEqual([READY, " [x] Doing 1 (redelivered)", " [x] Done 1", ...done(2, 3)]);
  expect(first.lines.filter((line) => !line.includes("[!]"))).toEqual([
    READY,
    " [x] Doing 1",
    READY,
    " [x] Done 1",
    expect.stringMatching(/^ \[x\] Doing 4/),
  ]);
});

test("Ctrl-C: the next worker begins when this one is done, and not before", async ({ channel, runWith }) => {
  const first = await start(runWith, "first", "--takes", "2000");
  const second = await start(runWith, "second", "--takes", "500");
  await send(channel, 1, 3);
  await first.printed(" [x] Doing 1");
  first.press("^C");
  await first.printed(" [x] Done 1");
  // Had it begun with the Ctrl-C, it would be far ahead by now.
  expect(second.lines).not.toContain(" [x] Done 2");
  expect(await first.exit).toEqual({ code: 0, signal: null });
  await second.printed(" [x] Done 3");
  expect(begun(first)).toEqual([1]);
  expect(begun(second)).toEqual([2, 3]);
});

test("a consumer that is cancelled with messages in hand has the next one begin", async ({ channel }) => {
  await send(channel, 1, 2);
  const first = await subscribe(channel);
  await expect.poll(first.given).toEqual([1]);
  const second = await subscribe(channel);
  await channel.cancel(first.consumerTag);
  await expect.poll(second.given).toEqual([2]);
});

test("a higher priority takes over from RabbitMQ 4.0 on, when what is in hand is acknowledged", async ({
  broker,
  channel,
}) => {
  await send(channel, 1, 2);
  const first = await subscribe(channel);
  await expect.poll(first.given).toEqual([1]);
  const preferred = await subscribe(channel, { priority: 10 });
  first.ack();
  const takesOver = Number.parseInt(broker.version, 10) >= 4;
  await expect.poll(() => [first.given(), preferred.given()]).toEqual(takesOver ? [[1], [2]] : [[1, 2], []]);
});

test("a single message can't be fetched: basic.get is refused", async ({ channel }) => {
  await expect(channel.get(queue)).rejects.toThrow("405");
});

test("an exclusive consumer has others refused", async ({ channel }) => {
  await channel.assertQueue("classic", { durable: true, arguments: { "x-queue-type": "classic" } });
  await channel.consume("classic", () => {}, { exclusive: true });
  await expect(channel.consume("classic", () => {})).rejects.toThrow("403");
});

test("queue and events survive a restart of the broker", async ({
  channel,
  management,
  virtualHost,
  run,
}) => {
  await run("pub", "open").exit;
  const { deliveries } = await subscribe(channel);
  await expect.poll(() => deliveries).toMatchObject([{ properties: { deliveryMode: 2 } }]);
  expect(await management("GET", `/queues/${virtualHost.name}/${queue}`)).toMatchObject({
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-single-active-consumer": true },
  });
});

test("hostile events are shown, not obeyed, and none is lost", async ({ channel, run, runWith }) => {
  const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0xff, 0xfe]), Buffer.alloc(2 ** 20, "m")];
  for (const body of bodies) channel.sendToQueue(queue, body);
  await channel.waitForConfirms();
  const sender = run("pub", "\x1b[2J");
  await sender.exit;
  expect(sender.lines).toEqual([String.raw` [x] Sent '\x1b[2J'`]);
  const worker = await start(runWith, "first");
  await worker.printed(String.raw` [x] Done \x1b[2J`);
  // A difference of a megabyte would say less.
  const lines = worker.lines.map((line) => line.replace(/m{100,}/, (run) => `m × ${run.length}`));
  expect(lines.filter((line) => line.includes("Done"))).toEqual([
    String.raw` [x] Done \x1b[2J\nand\x07`,
    " [x] Done \ufffd\ufffd",
    ` [x] Done m × ${2 ** 20}`,
    String.raw` [x] Done \x1b[2J`,
  ]);
});

/** Starts a worker, whose connection has a name of its own. It is subscribed when this returns. */
async function start(runWith: RunWith, name: string, ...args: string[]): Promise<Terminal> {
  const worker = runWith({ env: { npm_lifecycle_event: name } }, "worker", ...args);
  await worker.printed(READY);
  return worker;
}

/** Sends numbered events, which are in the queue when it returns. */
async function send(channel: ConfirmChannel, from: number, to: number): Promise<void> {
  for (const number of range(from, to))
    channel.sendToQueue(queue, Buffer.from(`${number}`), { persistent: true });
  await channel.waitForConfirms();
}

/** Subscribes with amqplib itself, one message at a time, and acknowledges what it is told to. */
async function subscribe(channel: Channel, options = {}) {
  const deliveries: ConsumeMessage[] = [];
  await channel.prefetch(1);
  const { consumerTag } = await channel.consume(
    queue,
    (delivery) => delivery && deliveries.push(delivery),
    options,
  );
  return {
    consumerTag,
    deliveries,
    given: () => deliveries.map(({ content }) => Number(content.toString())),
    ack: () => channel.ack(deliveries[0] as ConsumeMessage),
  };
}

/** The events that a worker has begun, in order. */
const begun = ({ lines }: Terminal): number[] =>
  lines.flatMap((line) => /^ \[x\] Doing (\d+)/.exec(line)?.[1] ?? []).map(Number);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const done = (from: number, to: number): string[] =>
  range(from, to).flatMap((number) => [` [x] Doing ${number}`, ` [x] Done ${number}`]);
