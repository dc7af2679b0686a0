import type { Channel, ConfirmChannel, ConsumeMessage, GetMessage } from "amqplib";
import { test as base, manners, scenarios } from "testkit";
import { expect } from "vitest";
import { declareTickets } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) => channel.assertQueue("tickets", { arguments: { "x-max-priority": 9 } });
manners({
  pub: { args: ["5"], wrong: [[], ["urgent"], ["-1"], ["256"]], conflict },
  sub: { wrong: [["5"]], stays: true, conflict },
  take: { wrong: [["5"]], conflict },
});

const queues = { classic: "tickets", quorum: "tickets_quorum" };

/** What quorum queues do with priorities. */
type Era = "none" | "two levels" | "strict";

const test = base
  .extend("era", ({ broker }): Era => {
    const [major = 0, minor = 0] = broker.version.split(".").map(Number);
    return major < 4 ? "none" : major === 4 && minor < 3 ? "two levels" : "strict";
  })
  .extend("emptied", { auto: true }, async ({ channel }) => {
    for (const queue of Object.values(queues)) await channel.deleteQueue(queue);
    for (const quorum of [false, true]) await declareTickets(channel, quorum);
  });

test("a classic queue gives out the highest priority first, and equal ones in order", async ({
  channel,
  run,
}) => {
  // Above 5 is 5, and none is 0.
  await send(channel, "tickets", [0, 5, 2, 7, 5, undefined, 255, 1, 0]);
  const worker = run("sub");
  await worker.printed(/^ \[x\]/, { times: 9 });
  expect(worker.lines).toEqual([
    " [*] Waiting for tickets in tickets. To exit press CTRL+C",
    ...["5: '1'", "7: '3'", "5: '4'", "255: '6'", "2: '2'", "1: '7'", "0: '0'", "none: '5'", "0: '8'"].map(
      (ticket) => ` [x] ${ticket}`,
    ),
  ]);
});

test("a quorum queue does what its version does", async ({ channel, era, run }) => {
  await send(channel, "tickets_quorum", [1, 5, undefined, 0, 40, 31]);
  const worker = run("sub", "--quorum");
  await worker.printed(/^ \[x\]/, { times: 6 });
  const expected = {
    none: ["1", "5", "none", "0", "40", "31"],
    "two levels": ["5", "40", "1", "31", "none", "0"],
    strict: ["40", "31", "5", "none", "1", "0"],
  }[era];
  expect(worker.lines.slice(1).map((line) => /\[x\] (\w+):/.exec(line)?.[1])).toEqual(expected);
});

test("a quorum queue refuses x-max-priority", async ({ channel }) => {
  const args = { "x-queue-type": "quorum", "x-max-priority": 5 };
  await expect(channel.assertQueue("other", { arguments: args })).rejects.toThrow(
    /invalid arg 'x-max-priority' .* rabbit_quorum_queue/,
  );
});

for (const type of ["classic", "quorum"] as const)
  test(`${type}: while urgent tickets keep coming, the others wait`, async ({ channel, era }) => {
    const fires = 200;
    const given: unknown[] = [];
    await send(channel, queues[type], [0, 5]);
    await channel.prefetch(1);
    await channel.consume(queues[type], async (ticket) => {
      if (!ticket) return;
      given.push(ticket.properties.priority);
      // The next fire is in the queue before the worker is done with this one.
      const fought = given.filter((priority) => priority === 5).length;
      if (ticket.properties.priority === 5 && fought < fires) await send(channel, queues[type], [5]);
      channel.ack(ticket);
    });
    await expect.poll(() => given.length, { timeout: 30_000 }).toBe(fires + 1);
    const plants = given.indexOf(0);
    if (type === "classic" || era === "strict") expect(plants).toBe(fires);
    // Without priorities it is the first, with two levels among the first three.
    else expect(plants).toBeLessThan(3);
  });

for (const [prefetch, order] of [
  [1, [0, 5, 2, 1]],
  [3, [0, 1, 2, 5]],
] as const)
  test(`what a worker was given ahead comes before any fire: prefetch ${prefetch}`, async ({ channel }) => {
    const given: ConsumeMessage[] = [];
    await channel.prefetch(prefetch);
    await channel.consume("tickets", (ticket) => ticket && given.push(ticket));
    for (const [index, priority] of [0, 1, 2].entries()) {
      await send(channel, "tickets", [priority]);
      await expect.poll(() => given.length).toBe(Math.min(index + 1, prefetch));
    }
    await send(channel, "tickets", [5]);
    for (const [index] of order.entries()) {
      await expect.poll(() => given.length).toBeGreaterThan(index);
      channel.ack(given[index] as ConsumeMessage);
    }
    expect(given.map(({ properties }) => properties.priority)).toEqual(order);
  });

test("a queue with a maximum length drops the most urgent first, or refuses what comes last", async ({
  channel,
}) => {
  const limit = { "x-queue-type": "classic", "x-max-priority": 5, "x-max-length": 3 };
  await channel.assertQueue("drops", { arguments: limit });
  await send(channel, "drops", [5, 5, 1, 1]);
  expect(await drain(channel, "drops")).toEqual([5, 1, 1]);

  await channel.assertQueue("refuses", { arguments: { ...limit, "x-overflow": "reject-publish" } });
  await expect(send(channel, "refuses", [5, 5, 1, 1])).rejects.toThrow("nack");
  expect(await drain(channel, "refuses")).toEqual([5, 5, 1]);
});

for (const [flags, queue] of [
  [[], "tickets"],
  [["--quorum"], "tickets_quorum"],
] as const)
  test(`${["take", ...flags].join(" ")} takes one ticket and leaves the others`, async ({ channel, run }) => {
    for (const text of ["First", "Second"]) await run("pub", ...flags, "5", text).exit;
    for (const [line, left] of [
      [" [x] 5: 'First'", 1],
      [" [x] 5: 'Second'", 0],
      [" [x] Nothing to do", 0],
    ] as const) {
      const worker = run("take", ...flags);
      expect(await worker.exit).toEqual({ code: 0, signal: null });
      expect(worker.lines).toEqual([line]);
      expect((await channel.checkQueue(queue)).messageCount).toBe(left);
    }
  });

test("sub asks for one ticket at a time, and acknowledges what it has printed", async ({
  channel,
  management,
  virtualHost,
  run,
}) => {
  await send(channel, "tickets", [1, 2]);
  const worker = run("sub");
  await worker.printed(/^ \[x\]/, { times: 2 });
  const consumers = () => management<unknown[]>("GET", `/consumers/${virtualHost.name}`);
  await expect
    .poll(consumers, { timeout: 15_000 })
    .toMatchObject([{ prefetch_count: 1, ack_required: true }]);
  worker.press("^C");
  expect(await worker.exit).toEqual({ code: 0, signal: null });
  expect((await channel.checkQueue("tickets")).messageCount).toBe(0);
});

test("tickets and queues are such as survive a restart of the broker", async ({
  channel,
  management,
  virtualHost,
  run,
}) => {
  const sender = run("pub", "255");
  expect(await sender.exit).toEqual({ code: 0, signal: null });
  expect(sender.lines).toEqual([" [x] Sent 255: 'A ticket'"]);
  const ticket = (await channel.get("tickets", { noAck: true })) as GetMessage;
  expect(ticket.properties).toMatchObject({ priority: 255, deliveryMode: 2 });
  expect(await management("GET", `/queues/${virtualHost.name}/tickets`)).toMatchObject({
    durable: true,
    arguments: { "x-queue-type": "classic", "x-max-priority": 5 },
  });
  expect(await management("GET", `/queues/${virtualHost.name}/tickets_quorum`)).toMatchObject({
    durable: true,
    arguments: { "x-queue-type": "quorum" },
  });
});

test("hostile tickets are shown, not obeyed, and none is lost", async ({ channel, run }) => {
  const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0xff, 0xfe]), Buffer.alloc(2 ** 20, "m")];
  for (const body of bodies) channel.sendToQueue("tickets", body, { priority: 5 });
  await channel.waitForConfirms();
  await run("pub", "0", "\x1b[2J", "End").exit;
  const taker = run("take");
  await taker.exit;
  const worker = run("sub");
  await worker.printed(String.raw` [x] 0: '\x1b[2J End'`);
  // A difference of a megabyte would say less.
  const lines = worker.lines.map((line) => line.replace(/m{100,}/, (run) => `m × ${run.length}`));
  expect([...taker.lines, ...lines.slice(1)]).toEqual([
    String.raw` [x] 5: '\x1b[2J\nand\x07'`,
    " [x] 5: '\ufffd\ufffd'",
    ` [x] 5: 'm × ${2 ** 20}'`,
    String.raw` [x] 0: '\x1b[2J End'`,
  ]);
});

/** Sends a message for each priority, with its place among them for a body. They are in the queue when it returns. */
async function send(channel: ConfirmChannel, queue: string, priorities: (number | undefined)[]) {
  for (const [index, priority] of priorities.entries())
    channel.sendToQueue(queue, Buffer.from(`${index}`), {
      persistent: true,
      ...(priority === undefined ? {} : { priority }),
    });
  await channel.waitForConfirms();
}

/** The priorities of all that a queue holds, in the order in which it gives them out. */
async function drain(channel: Channel, queue: string): Promise<number[]> {
  const priorities: number[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (!message) return priorities;
    priorities.push(message.properties.priority);
  }
}
