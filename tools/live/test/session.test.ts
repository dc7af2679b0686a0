import { join } from "node:path";
import amqp from "amqplib";
import { type Broker, startBroker } from "broker";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import type { LiveEvent } from "../src/protocol.ts";
import { Session } from "../src/session/session.ts";

const root = join(import.meta.dirname, "../../..");

/** A broker of this file's own: it is restarted. */
let broker: Broker;

beforeAll(async () => {
  broker = await startBroker({ private: true });
  return () => broker.stop();
});

type Of<Type extends LiveEvent["type"]> = Extract<LiveEvent, { type: Type }>;

/** A session, and what a page would hear of it. */
async function open(pattern: string) {
  const events: LiveEvent[] = [];
  const session = await Session.open({ root, pattern, broker, say: (event) => events.push(event) });
  onTestFinished(() => session.close());
  const all = <Type extends LiveEvent["type"]>(type: Type, fits: (event: Of<Type>) => boolean = () => true) =>
    events.filter((event): event is Of<Type> => event.type === type).filter(fits);
  return {
    session,
    events,
    all,
    /** Waits until it has happened. */
    async heard<Type extends LiveEvent["type"]>(
      type: Type,
      fits?: (event: Of<Type>) => boolean,
    ): Promise<Of<Type>> {
      await expect.poll(() => all(type, fits).length, { message: type }).toBeGreaterThan(0);
      return all(type, fits)[0] as Of<Type>;
    },
    /** Runs a script that waits for messages, until it does. */
    async start(script: string, ...words: string[]): Promise<string> {
      const terminal = await session.run(script, words);
      await expect
        .poll(() => all("line", (line) => line.terminal === terminal && line.text.startsWith(" [*]")).length)
        .toBe(1);
      return terminal;
    },
    run: (script: string, ...words: string[]) => session.run(script, words),
    order: (...types: LiveEvent["type"][]) =>
      events.map(({ type }) => type).filter((type) => types.includes(type)),
  };
}

const byHand = { exchange: "", key: "", headers: {}, properties: {}, body: "", mandatory: false };

test("a message is published, routed, delivered and acknowledged, in this order", async () => {
  const { start, run, heard, order } = await open("work-queues");
  const worker = await start("worker");
  const producer = await run("new-task", "Wash up");
  await heard("acked");
  await heard("confirmed");
  expect(order("published", "routed", "delivered", "acked")).toEqual([
    "published",
    "routed",
    "delivered",
    "acked",
  ]);
  expect(order("routed", "confirmed")).toEqual(["routed", "confirmed"]);
  const { message } = await heard("published");
  expect(message).toMatchObject({ exchange: "", key: "task_queue", body: "Wash up" });
  expect(await heard("published")).toMatchObject({ by: producer });
  expect(await heard("routed")).toMatchObject({
    message: message.id,
    copies: [{ queue: "task_queue" }],
    basis: "seen",
  });
  expect(await heard("delivered")).toMatchObject({
    to: worker,
    queue: "task_queue",
    acks: true,
    redelivered: false,
  });
});

test("a program that is killed gives its message back, and another one is given it again", async () => {
  const { session, start, run, heard } = await open("work-queues");
  const first = await start("worker");
  await run("new-task", "Paint the fence.....");
  await heard("delivered", ({ to }) => to === first);
  const second = await start("worker");
  session.kill(first);
  expect(await heard("requeued")).toMatchObject({ by: first, why: "connection lost" });
  expect(await heard("delivered", ({ to }) => to === second)).toMatchObject({ redelivered: true });
  expect(await heard("ended", ({ terminal }) => terminal === first)).toMatchObject({
    ok: false,
    how: "signal SIGKILL",
  });
});

test("a connection that is cut comes back by itself", async () => {
  const { session, start, heard, all } = await open("work-queues");
  const worker = await start("worker");
  session.cut(worker);
  await heard("disconnected");
  await expect.poll(() => all("connected", ({ terminal }) => terminal === worker).length).toBe(2);
  await expect.poll(() => session.world.feed.plan.consumers.length).toBe(1);
});

test("a paused consumer is given nothing, until it goes on", async () => {
  const { session, start, run, heard, all } = await open("work-queues");
  const worker = await start("worker");
  session.pause(worker, true);
  await heard("topology", ({ topology }) => topology.consumers.some(({ paused }) => paused));
  const producer = await run("new-task", "Wash up");
  await heard("routed");
  await heard("ended", ({ terminal }) => terminal === producer);
  expect(all("delivered")).toEqual([]);
  session.pause(worker, false);
  await heard("acked");
});

test("message by message, each publish, delivery and acknowledgement waits for the learner", async () => {
  const { session, start, run, heard, all } = await open("work-queues");
  const worker = await start("worker");
  session.step(true);
  const producer = await run("new-task", "Wash up");
  for (const [what, terminal, before, after] of [
    ["publish", producer, "published", "routed"],
    ["deliver", worker, "delivered", "delivered"],
    ["ack", worker, "acked", "acked"],
  ] as const) {
    const { hold } = await heard("held", (event) => event.what === what);
    expect(all("held", (event) => event.what === what)).toMatchObject([{ terminal }]);
    expect(all(before)).toEqual([]);
    session.release(hold);
    await heard("released", (event) => event.hold === hold);
    await heard(after);
  }
  expect(() => session.release()).toThrow("Nothing is held.");
});

test("what is held goes on when the learner no longer steps", async () => {
  const { session, start, run, heard, all } = await open("work-queues");
  await start("worker");
  session.step(true);
  await run("new-task", "Wash up");
  await heard("held");
  session.step(false);
  await heard("acked");
  expect(all("released").length).toBe(all("held").length);
});

test("a message by hand goes where its preview says", async () => {
  const { session, start, heard } = await open("topics");
  const subscriber = await start("sub", "kern.*");
  const message = {
    ...byHand,
    exchange: "topic_logs",
    key: "kern.warning",
    body: "Hot",
    headers: { from: "me" },
  };
  const { queues, path } = session.preview("topic_logs", "kern.warning", {});
  expect(path).toMatchObject([{ exchange: "topic_logs", key: "kern.*", why: "binding" }]);
  await session.publish(message);
  const { copies } = await heard("routed");
  expect(copies.map(({ queue }) => queue)).toEqual(queues);
  expect(await heard("published")).toMatchObject({ by: "you", message: { headers: { from: "me" } } });
  await heard("confirmed", ({ to }) => to === "you");
  await heard("line", ({ terminal, text }) => terminal === subscriber && text.includes("Hot"));
  expect(session.preview("topic_logs", "cron.info", {})).toEqual({ queues: [], path: [] });
});

test("a program that runs elsewhere is shown when it connects by the invitation", async () => {
  const { session, heard, run, all } = await open("hello");
  const { amqpUrl } = await heard("invitation");
  const clientProperties = { connection_name: "my service\x1b[2J" };
  const connection = await amqp.connect(amqpUrl, { noDelay: true, clientProperties });
  onTestFinished(() => connection.close().catch(() => {}));
  connection.on("error", () => {});
  const { terminal } = await heard("terminal");
  expect(terminal).toMatchObject({ script: "my service\\x1b[2J", isGuest: true });
  const channel = (await connection.createChannel()).on("error", () => {});
  await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.prefetch(3);
  await channel.consume("hello", (message) => message && channel.ack(message));
  await run("send");
  await heard("acked", ({ by }) => by === terminal.id);
  const { topology } = all("topology").at(-1) ?? {};
  expect(topology?.consumers).toMatchObject([{ terminal: terminal.id, prefetch: 3 }]);
  await connection.close();
  expect(await heard("ended", ({ terminal: id }) => id === terminal.id)).toMatchObject({
    how: "disconnected",
  });
  expect(() => session.kill(terminal.id)).toThrow("That program has ended.");
});

test("a virtual host of somebody else's is watched, and stays", async () => {
  const { amqpUrl, delete: remove } = await broker.createVirtualHost();
  onTestFinished(remove);
  const events: LiveEvent[] = [];
  const session = await Session.open({
    root,
    pattern: "watch",
    watches: true,
    broker: { ...broker, amqpUrl },
    say: (event) => events.push(event),
  });
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.assertQueue("theirs");
  channel.sendToQueue("theirs", Buffer.from("a letter"));
  const delivered = new Promise((resolve) => channel.consume("theirs", resolve, { noAck: true }));
  await delivered;
  const find = (type: LiveEvent["type"]) => events.find((event) => event.type === type);
  await expect.poll(() => find("delivered")).toMatchObject({ to: "outside", content: { body: "a letter" } });
  expect(find("published")).toMatchObject({ by: "outside" });
  await expect(session.play(0)).rejects.toThrow("There is no such scenario.");
  await session.close();
  expect(await channel.checkQueue("theirs")).toMatchObject({ messageCount: 0 });
  await connection.close();
});

test("a program that was given a URL of another one's wire is known by its name", async () => {
  const { heard, start } = await open("permissions");
  const users = await start("users");
  const subscriber = await start("sub");
  const isFrom = (id: string) => (event: { terminal: string }) => event.terminal === id;
  expect(await heard("connected", isFrom(users))).toBeDefined();
  expect(await heard("connected", isFrom(subscriber))).toBeDefined();
  const { topology } = await heard("topology", ({ topology }) => topology.consumers.length > 0);
  expect(topology.consumers).toMatchObject([{ terminal: subscriber }]);
});

test("the next message out of a queue with priorities is the most urgent one", async () => {
  const { heard, run, all, session } = await open("priority");
  for (const words of [
    ["1", "Water the plants"],
    ["5", "Fire"],
    ["3", "The tap drips"],
  ])
    await run("pub", ...words);
  await expect.poll(() => all("routed").length).toBe(3);
  const { queue = "" } = (await heard("routed")).copies[0] ?? {};
  const { messages } = session.describe({ kind: "queue", name: queue });
  expect(messages.map(({ message }) => message.body)).toEqual(["Fire", "The tap drips", "Water the plants"]);
});

test("what no binding matches is dropped, or returned if it is mandatory", async () => {
  const { session, start, heard, all } = await open("topics");
  await start("sub", "kern.*");
  await session.publish({ ...byHand, exchange: "topic_logs", key: "cron.info" });
  await heard("dropped");
  await session.publish({ ...byHand, exchange: "topic_logs", key: "cron.info", mandatory: true });
  expect(await heard("returned")).toMatchObject({ to: "you", reason: expect.stringContaining("NO_ROUTE") });
  expect(all("dropped").length).toBe(1);
});

test("what the broker refuses is said", async () => {
  const { session, heard } = await open("topics");
  await expect(session.publish({ ...byHand, exchange: "nowhere" })).rejects.toThrow("no exchange 'nowhere'");
  expect(await heard("closed")).toMatchObject({ what: "channel", code: 404 });
});

test("a program takes what is typed, and keys", async () => {
  const { session, run, heard, all } = await open("chat");
  const jean = await run("chat", "Jean", "Pierre");
  await heard("connected", ({ terminal }) => terminal === jean);
  await expect.poll(() => session.world.feed.plan.consumers.length).toBe(1);
  session.type(jean, "Salut");
  expect(await heard("published")).toMatchObject({
    by: jean,
    message: { body: expect.stringContaining("Salut") },
  });
  session.press(jean, "^C");
  expect(await heard("ended")).toMatchObject({ terminal: jean, ok: true });
  expect(() => session.type(jean, "Salut")).toThrow("That program has ended.");
  expect(all("typed")).toMatchObject([{ text: "Salut" }]);
});

test("everything in the picture can be described", async () => {
  const { session, start, heard } = await open("work-queues");
  const worker = await start("worker");
  session.pause(worker, true);
  await session.publish({ ...byHand, key: "task_queue", body: "Wash up" });
  const { message } = await heard("published");
  await heard("routed");
  const queue = session.describe({ kind: "queue", name: "task_queue" });
  expect(queue).toMatchObject({ title: "task_queue", messages: [{ message: { body: "Wash up" } }] });
  expect(queue.command).toContain("rabbitmqctl list_queues");
  expect(queue.anchor).toBeDefined();
  expect(session.describe({ kind: "exchange", name: "" }).title).toBe("(default)");
  expect(session.describe({ kind: "program", terminal: worker }).text).toContain("task_queue");
  expect(session.describe({ kind: "message", message: message.id }).text).toContain("task_queue");
  expect(() => session.describe({ kind: "queue", name: "gone" })).toThrow("It isn't there any more.");
});

test("a play that isn't the next one begins in a virtual host of its own", async () => {
  const { session, heard, all } = await open("hello");
  const { name } = session.world.virtualHost;
  await session.play(0);
  await heard("step");
  expect(session.world.virtualHost.name).toBe(name);
  await session.play(0);
  await expect.poll(() => all("scenario").length).toBe(2);
  expect(session.world.virtualHost.name).not.toBe(name);
  // The first one was ended for it.
  expect(all("finished")).toMatchObject([{ ok: false, difference: [] }]);
});

test("a turn is taken once", async () => {
  const { session, heard, all } = await open("hello");
  await session.play(0);
  const { turn } = await heard("step");
  session.next(turn);
  session.next(turn);
  await heard("step", (event) => event.turn === turn + 1);
  expect(all("terminal").length).toBe(1);
});

test("after a restart of the broker everything is seen again", async () => {
  const { session, start, run, heard, all } = await open("work-queues");
  const worker = await start("worker");
  await session.restart();
  expect(all("broker").map(({ state }) => state)).toEqual(["restarting", "up"]);
  await expect.poll(() => all("connected", ({ terminal }) => terminal === worker).length).toBe(2);
  await expect.poll(() => session.world.feed.plan.consumers.length).toBe(1);
  await run("new-task", "Wash up");
  expect(await heard("routed")).toMatchObject({ basis: "seen" });
  await heard("acked");
});

test("a broker that goes away and comes back by itself is looked at again", async () => {
  const { session, start, run, heard, all } = await open("work-queues");
  const worker = await start("worker");
  await broker.settle();
  await broker.kill();
  await heard("notice", ({ text }) => text === "The broker has gone away.");
  expect(() => session.describe({ kind: "program", terminal: worker })).not.toThrow();
  await broker.start();
  await heard("notice", ({ text }) => text === "The broker is back.");
  await expect.poll(() => all("connected", ({ terminal }) => terminal === worker).length).toBeGreaterThan(1);
  await run("new-task", "Wash up");
  expect(await heard("routed")).toMatchObject({ basis: "seen" });
  await heard("acked");
});
