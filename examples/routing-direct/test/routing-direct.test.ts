import type { Channel, GetMessage } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { expect } from "vitest";

scenarios();

const conflict = (channel: Channel) => channel.assertExchange("direct_logs", "direct", { durable: true });

manners({
  pub: { conflict },
  sub: { args: ["error"], wrong: [[]], stays: true, conflict },
});

const READY = " [*] Waiting for logs. To exit press CTRL+C";
// ms; the management API lists consumers with a delay.
const bound = { timeout: 30_000 };

test("one key, many queues: each gets a copy", async ({ run }) => {
  const subscribers = [
    await subscribe(run, "error"),
    await subscribe(run, "error"),
    await subscribe(run, "warning", "error"),
  ];
  await publish(run, "error", "Disk full");
  await publish(run, "error", "Disk still full");
  for (const subscriber of subscribers) {
    await subscriber.printed(" [x] error: 'Disk still full'");
    expect(subscriber.lines).toEqual([READY, " [x] error: 'Disk full'", " [x] error: 'Disk still full'"]);
  }
});

test("many keys, one queue: it gets all of them, in order, once", async ({ run }) => {
  const subscriber = await subscribe(run, "info", "warning", "error", "error");
  for (const severity of ["warning", "error", "info", "warning"]) await publish(run, severity, "Message");
  await publish(run, "info", "Last");
  await subscriber.printed(" [x] info: 'Last'");
  expect(subscriber.lines).toEqual([
    READY,
    " [x] warning: 'Message'",
    " [x] error: 'Message'",
    " [x] info: 'Message'",
    " [x] warning: 'Message'",
    " [x] info: 'Last'",
  ]);
});

test("an unbound key: no queue gets it", async ({ run, channel }) => {
  const literal = await subscribe(run, "#", "*");
  const subscriber = await subscribe(run, "error");
  const unbound = ["debug", "Error", "error ", "error.disk", "erro", ""];
  for (const key of unbound) channel.publish("direct_logs", key, Buffer.from("Lost"));
  await channel.waitForConfirms();
  await publish(run, "error", "Found");
  await publish(run, "#", "No wildcard");

  await subscriber.printed(" [x] error: 'Found'");
  await literal.printed(" [x] #: 'No wildcard'");
  expect(subscriber.lines).toEqual([READY, " [x] error: 'Found'"]);
  expect(literal.lines).toEqual([READY, " [x] #: 'No wildcard'"]);
});

test("the bindings are deleted when the subscriber ends", async ({ run, channel }) => {
  const returned: string[] = [];
  channel.on("return", ({ content }) => returned.push(content.toString()));
  const probe = async (text: string) => {
    channel.publish("direct_logs", "probe", Buffer.from(text), { mandatory: true });
    await channel.waitForConfirms();
  };
  const subscriber = await subscribe(run, "probe");
  await probe("bound");
  await subscriber.printed(" [x] probe: 'bound'");
  subscriber.press("^C");
  expect(await subscriber.exit).toEqual({ code: 0, signal: null });
  await probe("unbound");
  expect(returned).toEqual(["unbound"]);
});

test("a subscriber acknowledges nothing: the broker forgets what it has delivered", async ({
  broker,
  runWith,
  onTestFinished,
}) => {
  const { name, amqpUrl, delete: remove } = await broker.createVirtualHost();
  onTestFinished(remove);
  await runWith({ amqpUrl }, "sub", "error").printed(READY);
  const consumers = () => broker.management("GET", `/consumers/${name}`);
  await expect.poll(consumers, bound).toMatchObject([{ ack_required: false }]);
});

test("a severity that is too long for a routing key is turned down", async ({ run }) => {
  const longest = "ä".repeat(127);
  const subscriber = await subscribe(run, longest);
  await publish(run, longest, "254 bytes");
  await subscriber.printed(` [x] ${longest}: '254 bytes'`);
  for (const script of ["pub", "sub"]) {
    const program = run(script, "ä".repeat(128));
    expect(await program.exit).toEqual({ code: 2, signal: null });
    expect(program.errors[0]).toBe("A severity has at most 255 bytes.");
  }
});

test("the official programs' exchange is the same", async ({ run, channel }) => {
  await channel.assertExchange("direct_logs", "direct", { durable: false });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "direct_logs", "warning");
  await publish(run, "warning", "for", "your", "receive_logs_direct");
  const message = (await channel.get(queue, { noAck: true })) as GetMessage;
  expect(message.content.toString()).toBe("for your receive_logs_direct");
  expect(message.properties.contentType).toBe("text/plain");

  const subscriber = await subscribe(run, "warning");
  channel.publish("direct_logs", "warning", Buffer.from("from your emit_log_direct"));
  await subscriber.printed(" [x] warning: 'from your emit_log_direct'");
});

test("a message can't play tricks on the subscriber's terminal", async ({ run }) => {
  const subscriber = await subscribe(run, "\x1b[2J");
  await publish(run, "\x1b[2J", "line\nline");
  await subscriber.printed(" [x] \\x1b[2J: 'line\\nline'");
});

async function subscribe(run: Run, ...severities: string[]) {
  const subscriber = run("sub", ...severities);
  await subscriber.printed(READY);
  return subscriber;
}

/** Publishes a message. When it returns, the broker has put the message into all queues. */
async function publish(run: Run, ...words: string[]) {
  const publisher = run("pub", ...words);
  expect(await publisher.exit, publisher.lines.join("\n")).toEqual({ code: 0, signal: null });
}
