import type { Channel } from "amqplib";
import { expect } from "vitest";
import { openWire, type Wire } from "wire";
import { BrokerError, connect, openPublisher } from "../src/amqp/index.ts";
import { keptLog } from "./lines.ts";
import { test } from "./own-host.ts";
import { socketsTo } from "./sockets.ts";

const quorum = (args: object = {}) => ({ durable: true, arguments: { "x-queue-type": "quorum", ...args } });
const declared = (queue: string) => ({ declare: (channel: Channel) => channel.assertQueue(queue, quorum()) });

/** The bodies in a queue, in order, and their ids. Takes them away. */
async function drained(channel: Channel, queue: string) {
  const found: { body: string; id: string }[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (!message) return found;
    found.push({ body: message.content.toString(), id: message.properties.messageId });
  }
}

const publishes = (wire: Wire) => {
  const ids: string[] = [];
  wire.on("said", (said) => {
    if (said.method === "basic.publish") ids.push(String(said.content.properties.messageId));
  });
  return ids;
};

test("publishes in order, persistently, each message with an id, and resolves when it is confirmed", async ({
  channel,
  virtualHost,
}) => {
  const publisher = openPublisher({ url: virtualHost.amqpUrl, ...declared("plain") });
  await publisher.ready;
  expect(publisher.status).toBe("open");
  await Promise.all(["a", "b", "c"].map((body) => publisher.publish("", "plain", Buffer.from(body))));
  expect(publisher.unconfirmed).toBe(0);
  await publisher.publish("", "plain", Buffer.from("d"), { messageId: "mine", persistent: false });
  expect(await publisher.close()).toEqual([]);
  const found = await drained(channel, "plain");
  expect(found.map(({ body }) => body)).toEqual(["a", "b", "c", "d"]);
  expect(new Set(found.map(({ id }) => id)).size).toBe(4);
  expect(found[3]?.id).toBe("mine");
});

test("waits for the broker with what is published before it is connected", async ({
  channel,
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  await wire.unplug();
  const publisher = openPublisher({
    url: wire.amqpUrl,
    patience: Number.POSITIVE_INFINITY,
    ...declared("early"),
  });
  const early = publisher.publish("", "early", Buffer.from("early"));
  expect(publisher.status).toBe("connecting");
  await wire.plugIn();
  await early;
  await publisher.close();
  expect(await drained(channel, "early")).toMatchObject([{ body: "early" }]);
  await wire.close();
});

test("rejects what is published when it can't connect", async () => {
  const publisher = openPublisher({ url: "amqp://127.0.0.1:1", patience: 0 });
  const reason = /^No RabbitMQ at .*connection refused/;
  await expect(publisher.publish("", "x", Buffer.from("x"))).rejects.toThrow(reason);
  await expect(publisher.ready).rejects.toThrow(reason);
  await expect(publisher.publish("", "x", Buffer.from("x"))).rejects.toThrow(reason);
  expect(await publisher.close()).toEqual([]);
});

test.for(["before the broker has it", "in the middle of a frame", "before it is confirmed"])(
  "publishes again with the same id what is unconfirmed when the connection is lost: %s",
  async (when, { channel, virtualHost }) => {
    const queue = `lost ${when}`;
    const wire = await openWire(virtualHost.amqpUrl);
    const ids = publishes(wire);
    const { log, lines } = keptLog();
    const publisher = openPublisher({ url: wire.amqpUrl, log, ...declared(queue) });
    await publisher.ready;
    if (when === "before it is confirmed") wire.hold("to-client");
    else
      void wire
        .stopAt({ method: "basic.publish", ...(when === "in the middle of a frame" && { bytes: 10 }) })
        .then(() => wire.cut("rst"));
    const bodies = Array.from({ length: 20 }, (_, index) => String(index));
    const confirmed = Promise.all(bodies.map((body) => publisher.publish("", queue, Buffer.from(body))));
    if (when === "before it is confirmed") {
      await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(20);
      wire.cut();
      wire.release();
    }
    await confirmed;
    expect(lines.map((line) => line.replace(/\(.*\)/, "()"))).toEqual([
      "Connection lost (). Reconnecting ...",
      "Connected again.",
    ]);
    const found = await drained(channel, queue);
    expect([...new Set(found.map(({ body }) => body))]).toEqual(bodies);
    expect(new Set(found.map(({ id }) => id)).size).toBe(20);
    if (when === "before it is confirmed") {
      expect(publisher.repeated).toBe(20);
      expect(found).toHaveLength(40);
      expect(ids.slice(20)).toEqual(ids.slice(0, 20));
    }
    await publisher.close();
    await wire.close();
  },
);

test("bounds what is on its way by its window, and what is in memory by room()", async ({
  virtualHost,
  channel,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const ids = publishes(wire);
  const publisher = openPublisher({ url: wire.amqpUrl, window: 10, ...declared("window") });
  await publisher.ready;
  wire.hold("to-client");
  let published = 0;
  const loop = async () => {
    for (; published < 100; published++) {
      await publisher.room();
      void publisher.publish("", "window", Buffer.from(String(published)));
    }
  };
  const looped = loop();
  await expect.poll(async () => (await channel.checkQueue("window")).messageCount).toBe(10);
  expect([published, publisher.unconfirmed, ids.length]).toEqual([10, 10, 10]);
  // Beyond the window, publish itself waits.
  const beyond = publisher.publish("", "window", Buffer.from("beyond"));
  expect(publisher.unconfirmed).toBe(11);
  expect(ids).toHaveLength(10);
  wire.release();
  await looped;
  await beyond;
  expect(await publisher.close()).toEqual([]);
  expect((await channel.checkQueue("window")).messageCount).toBe(101);
  await wire.close();
});

test("has closed its connection when close() resolves", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const said: string[] = [];
  wire.on("said", ({ method }) => said.push(method));
  const publisher = openPublisher({ url: wire.amqpUrl });
  await publisher.ready;
  await publisher.close();
  expect(said).toContain("connection.close-ok");
  await wire.close();
});

test("goes on when a new channel's declaration is refused, once that is put right", async ({
  channel,
  virtualHost,
}) => {
  const { log, said } = keptLog();
  const publisher = openPublisher({ url: virtualHost.amqpUrl, ...declared("again"), log });
  await publisher.publish("", "again", Buffer.from("1"));
  // Another program declares the queue otherwise. A message to an exchange that doesn't exist then closes the channel.
  await channel.deleteQueue("again");
  await channel.assertQueue("again");
  await expect(publisher.publish("nowhere", "", Buffer.from("2"))).rejects.toThrow("no exchange 'nowhere'");
  const third = publisher.publish("", "again", Buffer.from("3"));
  await said(/The queue "again" exists with another x-queue-type/);
  await channel.deleteQueue("again");
  await third;
  expect(await publisher.close()).toEqual([]);
  expect((await drained(channel, "again")).map(({ body }) => body)).toEqual(["3"]);
});

test("rejects a message that the broker refuses, and goes on with the others", async ({
  channel,
  virtualHost,
}) => {
  await channel.assertQueue("full", { arguments: { "x-max-length": 2, "x-overflow": "reject-publish" } });
  const publisher = openPublisher({ url: virtualHost.amqpUrl });
  const outcomes = await Promise.allSettled(
    ["1", "2", "3"].map((body) => publisher.publish("", "full", Buffer.from(body))),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  const { reason } = outcomes[2] as PromiseRejectedResult;
  expect(reason).toBeInstanceOf(BrokerError);
  expect(reason).toMatchObject({
    message: "RabbitMQ refused a message (nack). Is its queue full?",
    retriable: true,
  });
  await channel.purgeQueue("full");
  await publisher.publish("", "full", Buffer.from("4"));
  await publisher.close();
});

test("rejects a mandatory message that the broker returns, and says where it was to go", async ({
  virtualHost,
}) => {
  const publisher = openPublisher({
    url: virtualHost.amqpUrl,
    declare: (c) => c.assertQueue("taken", quorum()),
  });
  const outcomes = await Promise.allSettled([
    publisher.publish("", "taken", Buffer.from("x"), { mandatory: true }),
    publisher.publish("", "no \x1b[31m queue", Buffer.from("x"), { mandatory: true }),
    publisher.publish("amq.topic", "no.binding", Buffer.from("x"), { mandatory: true }),
    // Without `mandatory`, the broker drops it and confirms that.
    publisher.publish("amq.topic", "no.binding", Buffer.from("x")),
  ]);
  expect(
    outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.message : "confirmed")),
  ).toEqual([
    "confirmed",
    "RabbitMQ returned a message: NO_ROUTE (queue no \\x1b[31m queue).",
    "RabbitMQ returned a message: NO_ROUTE (exchange amq.topic, routing key no.binding).",
    "confirmed",
  ]);
  await publisher.close();
});

test("finds the message that closes its channel, and confirms all others once", async ({
  channel,
  virtualHost,
}) => {
  const publisher = openPublisher({ url: virtualHost.amqpUrl, ...declared("guilty") });
  await publisher.ready;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) => {
      if (index === 20) return publisher.publish("no such exchange", "", Buffer.from("x"));
      if (index === 30) return publisher.publish("", "guilty", Buffer.from("x"), { expiration: "soon" });
      return publisher.publish("", "guilty", Buffer.from(String(index)));
    }),
  );
  const rejected = outcomes.flatMap((outcome, index) =>
    outcome.status === "rejected" ? [[index, outcome.reason.message]] : [],
  );
  expect(rejected).toEqual([
    [20, expect.stringMatching(/ says: no exchange 'no such exchange' in vhost/)],
    [30, expect.stringMatching(/ says: invalid expiration 'soon'/)],
  ]);
  const found = await drained(channel, "guilty");
  expect(new Set(found.map(({ body }) => body)).size).toBe(48);
  // Order is kept, up to what was published twice.
  const first = [...new Set(found.map(({ body }) => Number(body)))];
  expect(first).toEqual([...first].sort((a, b) => a - b));
  await publisher.publish("", "guilty", Buffer.from("after"));
  await publisher.close();
});

test("finds the message that ends its connection", async ({ virtualHost }) => {
  // Headers must fit into one frame. The broker ends the connection with 501 (frame error) otherwise.
  const publisher = openPublisher({ url: `${virtualHost.amqpUrl}?frame_max=8192`, ...declared("ended") });
  await publisher.ready;
  const outcomes = await Promise.allSettled([
    publisher.publish("", "ended", Buffer.from("before")),
    publisher.publish("", "ended", Buffer.from("x"), { headers: { long: "x".repeat(10_000) } }),
    publisher.publish("", "ended", Buffer.from("after")),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  await publisher.close();
});

test("rejects a message that is larger than the broker takes", async ({ broker, virtualHost }) => {
  const largest = (broker.version.startsWith("3.") ? 128 : 16) * 1024 * 1024;
  const publisher = openPublisher({ url: virtualHost.amqpUrl, ...declared("large") });
  await publisher.ready;
  const outcomes = await Promise.allSettled([
    publisher.publish("", "large", Buffer.from("small")),
    publisher.publish("", "large", Buffer.alloc(largest + 1)),
    publisher.publish("", "large", Buffer.from("small")),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((outcomes[1] as PromiseRejectedResult).reason.message).toMatch(
    / says: message size \d+ is larger than/,
  );
  await publisher.close();
});

test("rejects a message that amqplib can't encode, and doesn't lose its channel", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  let channels = 0;
  wire.on("said", (said) => {
    if (said.method === "channel.open") channels++;
  });
  const publisher = openPublisher({ url: wire.amqpUrl, ...declared("encoded") });
  await publisher.ready;
  const publish = (options: object, content: unknown = Buffer.from("x")) =>
    publisher.publish("", "encoded", content as Buffer, options);
  await expect(publish({ correlationId: "i".repeat(256) })).rejects.toThrow();
  await expect(publish({ headers: { unknown: { "!": "no such type", value: 1 } } })).rejects.toThrow(
    TypeError,
  );
  await expect(publish({}, "not a buffer")).rejects.toThrow(TypeError);
  await publish({});
  expect(channels).toBe(1);
  await publisher.close();
  await wire.close();
});

test("replaces a channel that confirms nothing, and publishes again on the new one", async ({
  channel,
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const { log, lines } = keptLog();
  const publisher = openPublisher({ url: wire.amqpUrl, log, silence: 300, ...declared("silent") });
  await publisher.ready;
  // The confirms of this channel never come.
  let silent: number | undefined;
  wire.holdWhen((said) => {
    if (said.method === "basic.ack") silent ??= said.channel;
    return said.method === "basic.ack" && said.channel === silent;
  });
  const confirmed = publisher.publish("", "silent", Buffer.from("x"));
  await expect.poll(() => wire.held.length).toBe(1);
  await expect.poll(() => lines.join(), { timeout: 10_000 }).toMatch(/Nothing confirmed for 0\.3 s/);
  wire.release();
  await confirmed;
  expect(publisher.repeated).toBe(1);
  expect((await drained(channel, "silent")).map(({ body }) => body)).toEqual(["x", "x"]);
  await publisher.close();
  await wire.close();
});

test("takes a new connection when the broker is stuck with the old one", async ({ channel, virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const publisher = openPublisher({ url: wire.amqpUrl, silence: 200, ...declared("stuck") });
  await publisher.ready;
  const [first] = wire.connections;
  // What comes behind it waits, too: the answer to a new channel, and to the end of the connection.
  wire.holdWhen((said, connection) => connection === first && said.method === "basic.ack");
  await publisher.publish("", "stuck", Buffer.from("x"));
  expect(wire.connections.at(-1)).not.toBe(first);
  expect((await drained(channel, "stuck")).map(({ body }) => body)).toEqual(["x", "x"]);
  await publisher.close();
  await wire.close();
});

test("publishes again what was refused or returned, on a new channel with new declarations, if it is told to", async ({
  channel,
  virtualHost,
}) => {
  const { log, lines } = keptLog();
  let declarations = 0;
  await channel.assertQueue("short", {
    durable: true,
    arguments: { "x-max-length": 1, "x-overflow": "reject-publish" },
  });
  const publisher = openPublisher({
    url: virtualHost.amqpUrl,
    log,
    onRefusal: "retry",
    async declare(channel) {
      if (++declarations > 1) await channel.assertQueue("gone", quorum());
    },
  });
  const returned = publisher.publish("", "gone", Buffer.from("returned"), { mandatory: true });
  await returned;
  expect(await drained(channel, "gone")).toMatchObject([{ body: "returned" }]);

  await publisher.publish("", "short", Buffer.from("first"));
  const second = publisher.publish("", "short", Buffer.from("second"));
  await expect.poll(() => lines.length).toBeGreaterThan(1);
  await channel.purgeQueue("short");
  await second;
  expect(lines[0]).toBe("RabbitMQ refused or returned messages. Publishing 1 again in 250 ms ...");
  await publisher.close();
});

test("gives up a message when its signal aborts, and keeps nothing of it", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const publisher = openPublisher({ url: wire.amqpUrl, ...declared("aborted") });
  await publisher.ready;
  await wire.unplug();
  const stopping = new AbortController();
  const lost = publisher.publish("", "aborted", Buffer.from("x"), {}, stopping.signal);
  stopping.abort();
  await expect(lost).rejects.toThrow(/aborted/);
  expect(publisher.unconfirmed).toBe(0);
  await expect(publisher.publish("", "aborted", Buffer.from("x"), {}, stopping.signal)).rejects.toThrow();
  await publisher.close();
  await wire.close();
});

test("tells what it could not confirm by its deadline, and ends also when the broker is silent", async ({
  virtualHost,
  onTestFinished,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const open = socketsTo(wire.port, onTestFinished);
  const publisher = openPublisher({ url: wire.amqpUrl, ...declared("deadline") });
  await publisher.ready;
  wire.freeze();
  const lost = publisher.publish("", "deadline", Buffer.from("x"), { messageId: "7" });
  const rejected = expect(lost).rejects.toThrow(/closed before the broker had confirmed/);
  const left = await publisher.close({ deadline: 100 });
  expect(left).toEqual([
    {
      exchange: "",
      routingKey: "deadline",
      content: Buffer.from("x"),
      options: { persistent: true, messageId: "7" },
    },
  ]);
  await rejected;
  await expect.poll(open).toBe(0);
  await expect(publisher.publish("", "deadline", Buffer.from("y"))).rejects.toThrow(/closed/);
  await wire.close();
});

test("goes on when its queue's declaration is refused after a reconnection, once that is put right", async ({
  channel,
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const { log, said } = keptLog();
  const publisher = openPublisher({ url: wire.amqpUrl, log, ...declared("redeclared") });
  await publisher.ready;
  await wire.unplug();
  await channel.deleteQueue("redeclared");
  await channel.assertQueue("redeclared", { durable: true });
  const waiting = publisher.publish("", "redeclared", Buffer.from("x"));
  await wire.plugIn();
  await said(/The queue "redeclared" exists with another x-queue-type/);
  await channel.deleteQueue("redeclared");
  await waiting;
  await publisher.close();
  await wire.close();
});

test("reports that the broker accepts nothing for now", async ({ privateBroker }) => {
  const { log, said, lines } = keptLog();
  const publisher = openPublisher({ url: privateBroker.amqpUrl, log, silence: 100, ...declared("blocked") });
  await publisher.ready;
  await privateBroker.memoryAlarm(true);
  const waiting = publisher.publish("", "blocked", Buffer.from("x"));
  await said(/RabbitMQ accepts no messages for now: low on memory\./);
  expect(publisher.status).toBe("blocked");
  await privateBroker.memoryAlarm(false);
  await waiting;
  await said(/accepts messages again/);
  // A blocked broker confirms nothing: its silence is no reason for a new channel.
  expect(lines.join()).not.toMatch(/Nothing confirmed/);
  await publisher.close();
});

test("connect() and openPublisher() don't share a connection", async ({ virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const connection = await connect({ url: wire.amqpUrl });
  const publisher = openPublisher({ url: wire.amqpUrl });
  await publisher.ready;
  expect(wire.connections).toHaveLength(2);
  await publisher.close();
  await connection.close();
  await wire.close();
});
