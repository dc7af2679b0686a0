import type { Channel, ConfirmChannel, GetMessage } from "amqplib";
import { test as base, manners, type Run, scenarios } from "testkit";
import { expect } from "vitest";
import { declareOrders, declareQueue, exchanges, unrouted } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) => channel.assertExchange("orders_with_alternate", "direct");
manners({
  pub: { args: ["europe"], wrong: [[], ["k".repeat(256)]], conflict },
  sub: { wrong: [["europe"]], stays: true, conflict: (channel) => channel.assertQueue("orders_europe") },
  unrouted: { wrong: [["now"]], stays: true, conflict },
});

const PLACES = ["orders_europe", unrouted];

/** With both queues and all exchanges in place, and the queues empty. */
const test = base.extend("emptied", { auto: true }, async ({ channel }) => {
  for (const queue of PLACES) await channel.deleteQueue(queue);
  await declareOrders(channel);
  await declareQueue(channel, "orders_europe");
  for (const exchange of Object.values(exchanges))
    await channel.bindQueue("orders_europe", exchange, "europe");
});

const CONFIRMED = [" [x] Confirmed atlantis: 'An order'"];
const RETURNED = " [!] Returned atlantis: 'An order'";

test("by default, a message that matches no binding is lost, and confirmed", async ({ channel, run }) => {
  expect(await publish(run, "atlantis")).toEqual({ code: 0, lines: CONFIRMED, errors: [] });
  expect(await counts(channel)).toEqual([0, 0]);
});

test("with mandatory it is returned, and confirmed", async ({ channel, run }) => {
  expect(await publish(run, "--mandatory", "atlantis")).toEqual({
    code: 1,
    lines: CONFIRMED,
    errors: [RETURNED],
  });
  expect(await counts(channel)).toEqual([0, 0]);
});

test("an alternate exchange keeps it unchanged", async ({ channel, run }) => {
  expect(await publish(run, "--alternate", "atlantis")).toEqual({ code: 0, lines: CONFIRMED, errors: [] });
  expect(await counts(channel)).toEqual([0, 1]);
  const { fields, properties, content } = (await channel.get(unrouted, { noAck: true })) as GetMessage;
  expect(fields).toMatchObject({ exchange: "orders_with_alternate", routingKey: "atlantis" });
  expect(properties).toMatchObject({ deliveryMode: 2, contentType: "text/plain" });
  expect(content.toString()).toBe("An order");
});

test("what an alternate exchange keeps is not returned", async ({ channel, run }) => {
  expect(await publish(run, "--alternate", "--mandatory", "atlantis")).toEqual({
    code: 0,
    lines: CONFIRMED,
    errors: [],
  });
  expect(await counts(channel)).toEqual([0, 1]);
});

for (const flags of [[], ["--mandatory"], ["--alternate"], ["--alternate", "--mandatory"]])
  test(`a message that matches a binding goes to its queue only: pub ${[...flags, "europe"].join(" ")}`, async ({
    channel,
    run,
  }) => {
    expect(await publish(run, ...flags, "europe", "Two", "tents")).toEqual({
      code: 0,
      lines: [" [x] Confirmed europe: 'Two tents'"],
      errors: [],
    });
    expect(await counts(channel)).toEqual([1, 0]);
  });

test("an alternate exchange without a queue keeps nothing", async ({ channel }) => {
  await channel.unbindQueue(unrouted, unrouted, "");
  expect(await outcome(channel, exchanges.guarded)).toEqual(["returned", "confirmed"]);
});

test("an alternate exchange can have an alternate exchange", async ({ channel }) => {
  await channel.assertExchange("first", "direct", { alternateExchange: "second" });
  await channel.assertExchange("second", "direct", { alternateExchange: unrouted });
  expect(await outcome(channel, "first")).toEqual(["confirmed"]);
  expect(await counts(channel)).toEqual([0, 1]);
});

test("a policy gives an existing exchange an alternate one", async ({
  channel,
  management,
  virtualHost,
  run,
  onTestFinished,
}) => {
  const policy = `/policies/${virtualHost.name}/unrouted`;
  const definition = { "alternate-exchange": unrouted };
  onTestFinished(() => management<void>("DELETE", policy));
  await management("PUT", policy, { pattern: "^orders$", "apply-to": "exchanges", definition });
  expect(await publish(run, "--mandatory", "atlantis")).toMatchObject({ code: 0, errors: [] });
  expect(await counts(channel)).toEqual([0, 1]);
});

test("sub and unrouted acknowledge what they have printed, ten at a time", async ({
  channel,
  management,
  virtualHost,
  run,
}) => {
  for (const flag of ["--alternate", "--mandatory"]) await publish(run, flag, "europe");
  await publish(run, "--alternate", "atlantis");
  const programs = [run("sub"), run("unrouted")];
  const [sub, caught] = programs;
  await sub?.printed(" [x] europe: 'An order'", { times: 2 });
  await caught?.printed(" [x] orders_with_alternate had no queue for atlantis: 'An order'");
  const consumers = () => management<{ prefetch_count: number }[]>("GET", `/consumers/${virtualHost.name}`);
  await expect
    .poll(async () => (await consumers()).map(({ prefetch_count }) => prefetch_count), { timeout: 15_000 })
    .toEqual([10, 10]);
  for (const program of programs) {
    program.press("^C");
    expect(await program.exit).toEqual({ code: 0, signal: null });
  }
  expect(await counts(channel)).toEqual([0, 0]);
});

test("both queues survive a restart of the broker", async ({ management, virtualHost, run }) => {
  await run("sub").printed(/Waiting/);
  const queues = await management("GET", `/queues/${virtualHost.name}`);
  expect(queues).toMatchObject(PLACES.map((name) => ({ name, type: "quorum", durable: true })));
});

test("hostile messages are shown, not obeyed, and none is lost", async ({ channel, run }) => {
  const bodies = [
    Buffer.from("\x1b[2J\nand\x07"),
    Buffer.from([0xff, 0xfe]),
    Buffer.alloc(2 ** 20, "m"),
    Buffer.from("End"),
  ];
  for (const key of ["europe", "\x1b[2J"])
    for (const body of bodies) channel.publish(exchanges.guarded, key, body);
  await channel.waitForConfirms();
  const shown = [String.raw`'\x1b[2J\nand\x07'`, "'\ufffd\ufffd'", `'m × ${2 ** 20}'`, "'End'"];
  for (const [script, before] of [
    ["sub", "europe"],
    ["unrouted", String.raw`orders_with_alternate had no queue for \x1b[2J`],
  ] as const) {
    const program = run(script);
    await program.printed(` [x] ${before}: 'End'`);
    // A difference of a megabyte would be unreadable.
    const lines = program.lines.map((line) => line.replace(/m{100,}/, (run) => `m × ${run.length}`));
    expect(lines.slice(1)).toEqual(shown.map((body) => ` [x] ${before}: ${body}`));
  }
  expect(await publish(run, "--mandatory", "\x1b[2J", "\x07")).toMatchObject({
    lines: [String.raw` [x] Confirmed \x1b[2J: '\x07'`],
    errors: [String.raw` [!] Returned \x1b[2J: '\x07'`],
  });
});

async function publish(run: Run, ...words: string[]) {
  const publisher = run("pub", ...words);
  const { code } = await publisher.exit;
  const { lines, errors } = publisher;
  // The order of stdout and stderr varies, because they are two pipes. The README is played in one terminal.
  return { code, lines: lines.filter((line) => !errors.includes(line)), errors };
}

/** How many messages are in the shop's queue, and how many in that of the alternate exchange. */
const counts = (channel: Channel) =>
  Promise.all(PLACES.map(async (queue) => (await channel.checkQueue(queue)).messageCount));

/** What a publisher is told of a mandatory message that matches no binding. */
async function outcome(channel: ConfirmChannel, exchange: string): Promise<string[]> {
  const heard: string[] = [];
  channel.on("return", () => heard.push("returned"));
  channel.publish(exchange, "atlantis", Buffer.from("An order"), { mandatory: true }, () =>
    heard.push("confirmed"),
  );
  await channel.waitForConfirms();
  return heard;
}
