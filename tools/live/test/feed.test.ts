import amqp, { type ConfirmChannel } from "amqplib";
import { type Broker, startBroker, type VirtualHost } from "broker";
import fc from "fast-check";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Feed } from "../src/feed/feed.ts";
import { LISTED } from "../src/feed/ledger.ts";
import { route } from "../src/feed/routing.ts";
import { Rush } from "../src/feed/rush.ts";
import type { Contents, Happening, Totals } from "../src/protocol.ts";
import { TerminalWires } from "../src/session/wires.ts";

let broker: Broker;

beforeAll(async () => {
  broker = await startBroker();
  return () => broker.stop();
});

type Heard = Happening | Totals | Contents;
type Of<Type extends Heard["type"]> = Extract<Heard, { type: Type }>;

/** A feed of a virtual host of its own, and a client whose wire it reads. */
async function look() {
  const virtualHost: VirtualHost = await broker.createVirtualHost();
  const { name, amqpUrl } = virtualHost;
  const heard: Heard[] = [];
  const shown: Heard[] = [];
  const rush = new Rush(
    (event) => shown.push(event),
    () => feed.contents(),
  );
  const feed: Feed = new Feed({ management: broker.management, vhost: name, amqpUrl }, (happening) => {
    heard.push(happening);
    rush.hear(happening);
  });
  const wires = new TerminalWires("t1", {
    connected: (terminal, connection, given) => feed.connected(terminal, connection, given),
    disconnected: (connection) => feed.disconnected(connection),
    passed: (connection, passing) => feed.passed(connection, passing),
    foreign() {},
    held() {},
  });
  await feed.open();
  const connection = await amqp.connect(await wires.lay(amqpUrl), { noDelay: true });
  onTestFinished(async () => {
    await connection.close().catch(() => {});
    await wires.close();
    rush.end();
    await feed.close();
    await virtualHost.delete();
  });
  connection.on("error", () => {});
  const newChannel = async (): Promise<ConfirmChannel> =>
    (await connection.createConfirmChannel()).on("error", () => {});
  const all = <Type extends Heard["type"]>(type: Type, events = heard) =>
    events.filter((event): event is Of<Type> => event.type === type);
  return {
    feed,
    connection,
    newChannel,
    channel: await newChannel(),
    amqpUrl,
    wires,
    all,
    shown,
    /** Waits for the first of its kind. */
    async first<Type extends Heard["type"]>(type: Type): Promise<Of<Type>> {
      await expect.poll(() => all(type).length, { message: type }).toBeGreaterThan(0);
      return all(type)[0] as Of<Type>;
    },
    ready: (queue: string) => feed.ledger.ready(queue),
  };
}

describe("what the broker doesn't tell", () => {
  test("a message that expires is inferred to have, and its way is proved by the next delivery", async () => {
    const { channel, first, ready } = await look();
    await channel.assertQueue("morgue");
    await channel.assertQueue("short", {
      deadLetterExchange: "",
      deadLetterRoutingKey: "morgue",
      messageTtl: 300,
    });
    channel.sendToQueue("short", Buffer.from("late"));
    const { copy } = await first("expired");
    expect(await first("expired")).toMatchObject({ queue: "short", basis: "inferred" });
    const dead = await first("dead-lettered");
    expect(dead).toMatchObject({
      copy,
      exchange: "",
      key: "morgue",
      basis: "inferred",
      copies: [{ queue: "morgue" }],
    });
    await channel.consume("morgue", () => {}, { noAck: true });
    expect(await first("proved")).toMatchObject({ basis: "seen", copy: dead.copies[0]?.copy });
    expect([ready("short"), ready("morgue")]).toEqual([0, 0]);
  });

  test("a rejected message goes to the dead letter exchange", async () => {
    const { channel, first } = await look();
    await channel.assertExchange("graveyard", "topic");
    await channel.assertQueue("morgue");
    await channel.bindQueue("morgue", "graveyard", "work.#");
    await channel.assertQueue("work", {
      deadLetterExchange: "graveyard",
      deadLetterRoutingKey: "work.failed",
    });
    await channel.consume("work", (message) => message && channel.nack(message, false, false));
    channel.sendToQueue("work", Buffer.from("broken"));
    expect(await first("rejected")).toMatchObject({ by: "t1", queue: "work", basis: "seen" });
    expect(await first("dead-lettered")).toMatchObject({
      key: "work.failed",
      path: [{ exchange: "graveyard", to: "morgue", key: "work.#" }],
    });
  });

  test("a full queue pushes its oldest message out, or refuses the newest", async () => {
    const { channel, first, ready, feed } = await look();
    await channel.assertQueue("drops", { maxLength: 1 });
    for (const body of ["old", "new"]) channel.sendToQueue("drops", Buffer.from(body));
    expect(await first("pushed-out")).toMatchObject({ queue: "drops", basis: "inferred" });
    expect(feed.ledger.in("drops").map(({ view }) => view.body)).toEqual(["new"]);
    await channel.assertQueue("refuses", { maxLength: 1, arguments: { "x-overflow": "reject-publish" } });
    for (const body of ["old", "new"]) channel.sendToQueue("refuses", Buffer.from(body));
    expect(await first("nacked")).toMatchObject({ to: "t1", full: "refuses" });
    expect(feed.ledger.in("refuses").map(({ view }) => view.body)).toEqual(["old"]);
    await expect.poll(() => ready("drops")).toBe(1);
  });

  test("what somebody else takes or purges is gone, and what they publish is seen", async () => {
    const { channel, first, ready, amqpUrl } = await look();
    await channel.assertQueue("shared");
    const others = await amqp.connect(amqpUrl);
    onTestFinished(() => others.close());
    const theirs = await others.createChannel();
    theirs.sendToQueue("shared", Buffer.from("hello"));
    expect(await first("published")).toMatchObject({ by: "outside", message: { body: "hello" } });
    await expect.poll(() => ready("shared")).toBe(1);
    channel.sendToQueue("shared", Buffer.from("for them"));
    await expect.poll(() => ready("shared")).toBe(2);
    await theirs.get("shared", { noAck: true });
    expect(await first("delivered")).toMatchObject({ to: "outside", queue: "shared" });
    expect(ready("shared")).toBe(1);
    await theirs.purgeQueue("shared");
    expect(await first("gone")).toMatchObject({ queue: "shared", basis: "inferred" });
  });
});

describe("what is seen on the wire", () => {
  test("several copies, several acknowledgements at once, a requeue and a channel that is closed", async () => {
    const { channel, newChannel, all, ready, feed } = await look();
    await channel.assertQueue("q");
    for (let number = 0; number < 5; number++) channel.sendToQueue("q", Buffer.from("same"));
    await channel.waitForConfirms();
    await expect.poll(() => ready("q")).toBe(5);
    const taking = await newChannel();
    const taken = [];
    for (let number = 0; number < 4; number++) taken.push(await taking.get("q"));
    const [, second, third] = taken;
    if (typeof second !== "object" || typeof third !== "object") throw new Error("There were five messages.");
    taking.ack(second, true);
    taking.nack(third);
    await expect.poll(() => all("requeued").length).toBe(1);
    expect(all("acked").length).toBe(2);
    expect(feed.ledger.counts().get("q")).toEqual({ ready: 2, unacked: 1 });
    await taking.close();
    await expect.poll(() => all("requeued").at(-1)?.why).toBe("channel closed");
    expect(ready("q")).toBe(3);
    expect(await channel.checkQueue("q")).toMatchObject({ messageCount: 3 });
    await channel.purgeQueue("q");
    expect(all("purged").length).toBe(3);
    expect(await channel.get("q")).toBe(false);
    await expect.poll(() => all("empty")).toMatchObject([{ queue: "q", by: "t1" }]);
  });

  test("a message of 16 MiB", async () => {
    const { channel, first, ready } = await look();
    await channel.assertQueue("q");
    const size = 16 * 1024 * 1024;
    channel.sendToQueue("q", Buffer.alloc(size, "x"), { headers: { large: true } });
    expect(await first("published")).toMatchObject({ by: "t1", message: { size, headers: { large: true } } });
    await expect.poll(() => ready("q")).toBe(1);
    await channel.consume("q", (message) => message && channel.ack(message));
    expect(await first("acked")).toMatchObject({ queue: "q", by: "t1" });
  });

  test("a publish to an exchange that isn't there closes the channel, and is no message anywhere", async () => {
    const { channel, first, all, feed } = await look();
    channel.publish("nowhere", "key", Buffer.from("lost"));
    expect(await first("closed")).toMatchObject({ code: 404, terminal: "t1" });
    // Its trace doesn't come, which is taken for what it is after some seconds.
    await expect.poll(() => feed.awaitsTraces, { timeout: 15_000 }).toBe(false);
    expect([...all("routed"), ...all("dropped")]).toEqual([]);
  });

  test("a stream keeps what is read, and each reader has its place", async () => {
    const { channel, newChannel, all, ready } = await look();
    await channel.assertQueue("log", { durable: true, arguments: { "x-queue-type": "stream" } });
    for (const body of ["a", "b", "c"]) channel.sendToQueue("log", Buffer.from(body));
    await channel.waitForConfirms();
    for (const from of ["first", 1]) {
      const reading = await newChannel();
      await reading.prefetch(10);
      await reading.consume("log", (message) => message && reading.ack(message), {
        arguments: { "x-stream-offset": from },
      });
    }
    await expect.poll(() => all("delivered").length).toBe(5);
    expect(
      all("delivered")
        .map(({ offset }) => offset)
        .sort(),
    ).toEqual([0, 1, 1, 2, 2]);
    expect(ready("log")).toBe(3);
    expect(
      all("topology")
        .at(-1)
        ?.topology.consumers.map(({ from }) => from)
        .sort(),
    ).toEqual(["1", "first"]);
  });
});

describe("more than can be remembered", () => {
  test("a long queue is counted exactly, and its messages are delivered and acknowledged", async () => {
    const { channel, all, ready, feed } = await look();
    await channel.assertQueue("q");
    const count = LISTED + 500;
    for (let number = 0; number < count; number++) channel.sendToQueue("q", Buffer.from(String(number)));
    await expect.poll(() => ready("q")).toBe(count);
    expect(feed.ledger.in("q").length).toBe(LISTED);
    await channel.consume("q", (message) => message && channel.ack(message));
    await expect.poll(() => all("acked").length).toBe(count);
    expect(feed.ledger.counts().get("q")).toEqual({ ready: 0, unacked: 0 });
    const bodies = all("delivered").map(({ content }) => Number(content.body));
    expect(bodies).toEqual(Array.from({ length: count }, (_, number) => number));
  });

  test("of those that the ledger only counts, some expire", async () => {
    const { channel, all, ready } = await look();
    await channel.assertQueue("short", { messageTtl: 1_000 });
    const count = LISTED + 50;
    for (let number = 0; number < count; number++) channel.sendToQueue("short", Buffer.from(String(number)));
    await channel.waitForConfirms();
    await expect.poll(() => all("expired").length, { timeout: 20_000 }).toBe(count);
    expect(ready("short")).toBe(0);
  });

  test("what programs publish waits on their wires while too many traces are awaited", async () => {
    const { channel, all, wires, amqpUrl } = await look();
    await channel.assertQueue("q");
    wires.slow(true);
    channel.sendToQueue("q", Buffer.from("held"));
    const other = await amqp.connect(amqpUrl);
    onTestFinished(() => other.close());
    (await other.createChannel()).sendToQueue("q", Buffer.from("free"));
    const bodies = () => all("published").map(({ message }) => message.body);
    await expect.poll(bodies).toEqual(["free"]);
    wires.slow(false);
    await expect.poll(bodies).toEqual(["free", "held"]);
  });

  test("too many traces are awaited until they come, or until none is expected any more", async () => {
    const place = { management: broker.management, vhost: "nowhere", amqpUrl: "amqp://localhost" };
    const feed = new Feed(place, () => {});
    onTestFinished(() => feed.close());
    const behind: boolean[] = [];
    feed.onBehind = (isBehind) => behind.push(isBehind);
    feed.connected("t1", "c1", "a client");
    const content = { properties: {}, body: Buffer.from("x"), size: 1 };
    const fields = { ticket: 0, exchange: "", routingKey: "q", mandatory: false, immediate: false };
    for (let number = 0; number < 5_001; number++)
      feed.passed("c1", { method: "basic.publish", fields, direction: "out", channel: 1, content });
    expect(behind).toEqual([true]);
    await expect
      .poll(async () => {
        await feed.look();
        return feed.awaitsTraces;
      })
      .toBe(false);
    expect(behind).toEqual([true, false]);
  });
});

test("above some 30 messages a second there are totals, which add up, and then what the queues hold", async () => {
  const { channel, shown, all } = await look();
  await channel.assertQueue("q");
  const count = 2_000;
  await channel.consume("q", (message) => message && channel.ack(message));
  for (let number = 0; number < count; number++) channel.sendToQueue("q", Buffer.from(String(number)));
  await expect.poll(() => all("acked").length).toBe(count);
  await expect.poll(() => all("contents", shown).length).toBe(1);
  const sum = (type: "published" | "routed" | "confirmed" | "delivered" | "acked") => {
    const counted = all("totals", shown).flatMap((totals): { count: number }[] => totals[type]);
    return counted.reduce((total, { count }) => total + count, all(type, shown).length);
  };
  for (const type of ["published", "routed", "confirmed", "delivered", "acked"] as const)
    expect([type, sum(type)]).toEqual([type, count]);
  // Some single ones came before it was known that there would be so many.
  expect(shown.length).toBeLessThan(count / 2);
  expect(all("contents", shown)).toMatchObject([{ queues: [{ name: "q", ready: 0, unacked: 0 }] }]);
});

test("where a message goes is worked out as the broker does it", async () => {
  const { channel, feed, all } = await look();
  const word = fc.constantFrom("a", "b", "c");
  const pattern = fc
    .array(fc.constantFrom("a", "b", "*", "#"), { minLength: 1, maxLength: 3 })
    .map((words) => words.join("."));
  const key = fc.array(word, { maxLength: 4 }).map((words) => words.join("."));
  const headers = fc.dictionary(fc.constantFrom("x", "y", "x-z"), fc.constantFrom("1", "2"));
  const types = ["direct", "fanout", "topic", "headers"];
  for (const type of types) await channel.assertExchange(type, type, { alternateExchange: "spare" });
  await channel.assertExchange("spare", "fanout");
  for (const [from, to] of [
    ["topic", "direct"],
    ["fanout", "topic"],
    ["direct", "fanout"],
  ] as const)
    await channel.bindExchange(to, from, "a");
  const queues = ["q1", "q2", "q3"];
  for (const queue of [...queues, "left"]) await channel.assertQueue(queue);
  await channel.bindQueue("left", "spare", "");
  const bind = fc.tuple(
    fc.constantFrom(...queues),
    fc.constantFrom(...types),
    pattern,
    headers,
    fc.constantFrom("all", "any", "all-with-x", "any-with-x"),
  );
  // 3.10 doesn't know the last two.
  for (const [queue, type, key, args, match] of fc.sample(bind, { numRuns: 12, seed: 1 }))
    await channel.bindQueue(
      queue,
      type,
      key,
      type === "headers" ? { ...args, "x-match": match.replace("-with-x", "") } : {},
    );
  const published = fc.sample(
    fc.tuple(fc.constantFrom(...types, ""), fc.oneof(key, fc.constantFrom(...queues)), headers),
    {
      numRuns: 200,
      seed: 2,
    },
  );
  for (const [exchange, key, table] of published)
    channel.publish(exchange, key, Buffer.from(""), { headers: table });
  await channel.waitForConfirms();
  await expect.poll(() => all("routed").length + all("dropped").length).toBe(published.length);
  await feed.look();
  const seen = new Map(
    all("routed").map(({ message, copies }) => [message, copies.map(({ queue }) => queue).sort()]),
  );
  for (const { message } of all("published")) {
    const { queues } = route(feed.plan, message.exchange, message.key, message.headers);
    expect([message, queues.sort()]).toEqual([message, seen.get(message.id) ?? []]);
  }
});
