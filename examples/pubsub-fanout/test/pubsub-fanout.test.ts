import type { Channel, GetMessage } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { expect } from "vitest";

scenarios();

const conflict = (channel: Channel) => channel.assertExchange("logs", "fanout", { durable: true });

manners({
  pub: { conflict },
  sub: { wrong: [["everything"]], stays: true, conflict },
});

const READY = /^ \[\*] Waiting for messages in (amq\.gen-\S+)\. To exit press CTRL\+C$/;
// ms; the broker deletes queues, and its management API lists consumers, with a delay.
const bound = { timeout: 30_000 };

test("every subscriber gets every message, in order", async ({ run, channel }) => {
  const subscribers = [await subscribe(run), await subscribe(run), await subscribe(run)];
  const messages = Array.from({ length: 100 }, (_, index) => `Message ${index + 1}`);

  for (const message of messages) channel.publish("logs", "", Buffer.from(message));

  for (const { terminal } of subscribers) {
    await terminal.printed(" [x] Message 100");
    expect(terminal.lines.slice(1)).toEqual(messages.map((message) => ` [x] ${message}`));
  }
});

test("a subscriber gets nothing from before it subscribed", async ({ run }) => {
  const { terminal: early } = await subscribe(run);
  await publish(run, "Before");
  const { terminal: late } = await subscribe(run);
  await publish(run, "After");

  await early.printed(" [x] After");
  await late.printed(" [x] After");
  expect(early.lines.slice(1)).toEqual([" [x] Before", " [x] After"]);
  expect(late.lines.slice(1)).toEqual([" [x] After"]);
});

test("each subscriber has its own queue, which is deleted when it ends", async ({
  run,
  management,
  virtualHost,
}) => {
  const names = async () => {
    const queues = await management<{ name: string }[]>("GET", `/queues/${virtualHost.name}`);
    return queues.map(({ name }) => name);
  };
  const leaving = await subscribe(run);
  const dying = await subscribe(run);
  expect(leaving.queue).not.toBe(dying.queue);
  expect(await names()).toEqual(expect.arrayContaining([leaving.queue, dying.queue]));

  leaving.terminal.press("^C");
  expect(await leaving.terminal.exit).toEqual({ code: 0, signal: null });
  await expect.poll(names, bound).not.toContain(leaving.queue);
  expect(await names()).toContain(dying.queue);

  dying.terminal.kill();
  await expect.poll(names, bound).not.toContain(dying.queue);
});

test("a subscriber acknowledges nothing: the broker forgets what it has delivered", async ({
  broker,
  runWith,
  onTestFinished,
}) => {
  const { name, amqpUrl, delete: remove } = await broker.createVirtualHost();
  onTestFinished(remove);
  await runWith({ amqpUrl }, "sub").printed(READY);
  const consumers = () => broker.management("GET", `/consumers/${name}`);
  await expect.poll(consumers, bound).toMatchObject([{ ack_required: false }]);
});

test("no other connection can consume from a subscriber's queue", async ({ run, channel }) => {
  const { queue } = await subscribe(run);
  await expect(channel.consume(queue, () => {})).rejects.toThrow(/RESOURCE_LOCKED/);
});

test("a subscriber that reconnects has a new queue", async ({ broker, runWith, onTestFinished }) => {
  // A virtual host of its own, because all its connections are closed.
  const { name, amqpUrl, delete: remove } = await broker.createVirtualHost();
  onTestFinished(remove);
  const run: Run = (script, ...args) => runWith({ amqpUrl }, script, ...args);
  const { terminal, queue } = await subscribe(run);
  await broker.closeConnections(name);
  const [, again = ""] = await terminal.printed(READY, { times: 2 });
  expect(again).not.toContain(queue);
  await publish(run, "Welcome back");
  await terminal.printed(" [x] Welcome back");
});

test("the official programs' exchange is the same", async ({ run, channel }) => {
  await channel.assertExchange("logs", "fanout", { durable: false });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "logs", "");
  await publish(run, "for", "your", "receive_logs");
  const message = (await channel.get(queue, { noAck: true })) as GetMessage;
  expect(message.content.toString()).toBe("for your receive_logs");
  expect(message.fields.routingKey).toBe("");
  expect(message.properties.contentType).toBe("text/plain");

  const { terminal } = await subscribe(run);
  channel.publish("logs", "", Buffer.from("from your emit_log"));
  await terminal.printed(" [x] from your emit_log");
});

test("a message can't play tricks on the subscriber's terminal", async ({ run }) => {
  const { terminal } = await subscribe(run);
  await publish(run, "\x1b[2Jline\nline");
  await terminal.printed(" [x] \\x1b[2Jline\\nline");
});

async function subscribe(run: Run) {
  const terminal = run("sub");
  const [line = ""] = await terminal.printed(READY);
  return { terminal, queue: READY.exec(line)?.[1] ?? "" };
}

/** Publishes a message. When it returns, the broker has put the message into all queues. */
async function publish(run: Run, ...words: string[]) {
  const publisher = run("pub", ...words);
  expect(await publisher.exit, publisher.lines.join("\n")).toEqual({ code: 0, signal: null });
  return publisher;
}
