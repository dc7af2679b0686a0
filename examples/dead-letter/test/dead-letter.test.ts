import amqp, { type Channel, type ConfirmChannel, type GetMessage, type Options } from "amqplib";
import { manners, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { sendBack } from "../src/replay.ts";
import { headersForReplay, story } from "../src/story.ts";
import { declareOrders, morgue, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(queue, { arguments: { "x-queue-type": "classic" } });
manners({
  pub: {
    wrong: [
      ["--ttl", "soon"],
      ["--ttl", "-1"],
    ],
    conflict,
  },
  worker: { wrong: [["glass"], ["--fail-on"], ["--fail-on", ""]], stays: true, conflict },
  morgue: { wrong: [["everything"]], stays: true, conflict },
});

const ready = { morgue: " [*] Waiting for dead letters. To exit press CTRL+C" };
/** ms; a bound for what comes at once. */
const within = 30_000;

describe("with nothing in the queues", () => {
  test.beforeEach(async ({ channel }) => {
    for (const name of [queue, morgue]) await channel.deleteQueue(name);
    await declareOrders(channel);
  });

  describe("into the morgue", () => {
    test("comes what was rejected, what has expired, what had no room and what came back too often", async ({
      channel,
      run,
    }) => {
      const watcher = run("morgue");
      await watcher.printed(ready.morgue);
      const worker = run("worker", "--fail-on", "glass");
      await worker.printed(/Waiting/);
      for (const order of ["A glass vase", "A vase"]) await pub(run("pub", order));
      await worker.printed(" [x] Done: A vase");
      await watcher.printed(/glass/);
      worker.press("^C");
      await worker.exit;
      expect(worker.lines.slice(1)).toEqual([" [x] Rejected: A glass vase", " [x] Done: A vase"]);

      await pub(run("pub", "--ttl", "1", "Fresh", "bread"));
      await watcher.printed(/bread/);

      for (const order of ["One", "Two", "Three"]) await pub(run("pub", order));
      await watcher.printed(/One/);
      await channel.purgeQueue(queue);

      await publish(channel, queue, "Poison");
      for (let delivery = 0; delivery <= 5; delivery++) channel.reject(await next(channel, queue), true);
      await watcher.printed(/Poison/);

      const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
      for (const line of watcher.lines.slice(1)) expect(line).toMatch(time);
      expect(watcher.lines.slice(1).map((line) => line.replace(time, "…"))).toEqual([
        " [x] A glass vase: rejected by a consumer of orders at …",
        " [x] Fresh bread: expired in orders at …",
        " [x] One: found no room in orders at …",
        " [x] Poison: delivered too often from orders at …",
      ]);
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
    });

    test("come orders that survive a restart of the broker there", async ({ channel, run }) => {
      await pub(run("pub", "--ttl", "0", "Bread"));
      expect((await next(channel, morgue)).properties.deliveryMode).toBe(2);
    });

    test("looks take nothing away, however many", async ({ channel, virtualHost, run }) => {
      await die(channel, "A vase");
      const watcher = run("morgue");
      await watcher.printed(/A vase/);
      watcher.press("^C");
      expect(await watcher.exit).toEqual({ code: 0, signal: null });

      const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
      for (let look = 0; look < 25; look++) {
        const eye = await connection.createChannel();
        await new Promise((resolve) => eye.consume(morgue, resolve));
        await eye.close();
      }
      await connection.close();
      expect((await next(channel, morgue)).content.toString()).toBe("A vase");
    });
  });

  describe("--replay", () => {
    test("sends back what its publisher sent, byte for byte, and lets it live", async ({ channel, run }) => {
      const bodies = [Buffer.from([0x66, 0xff, 0x0a]), Buffer.alloc(2 ** 20, "x")];
      const properties = {
        persistent: true,
        contentType: "text/plain",
        correlationId: "c",
        messageId: "m",
        priority: 3,
        timestamp: 1,
        type: "order",
      };
      for (const body of bodies)
        await die(channel, body, { ...properties, expiration: "100000", headers: { customer: 7 } });

      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([
        " [x] Sent back f\ufffd\\n",
        ` [x] Sent back ${"x".repeat(2 ** 20)}`,
        " [x] 2 of 2 sent back",
      ]);
      const { persistent: _, ...same } = properties;
      for (const body of bodies) {
        const order = await next(channel, queue);
        expect(order.content.equals(body)).toBe(true);
        expect(order.properties).toMatchObject({ ...same, deliveryMode: 2, expiration: undefined });
        expect(withoutCounts(order)).toEqual({ customer: 7, replays: 1 });
      }
      expect(await channel.checkQueue(morgue)).toMatchObject({ messageCount: 0 });
    });

    test("sends each back once, even if it dies again at once", async ({ channel, run }) => {
      for (const order of ["glass 1", "glass 2", "glass 3"]) await die(channel, order);
      const worker = run("worker", "--fail-on", "glass");
      await worker.printed(/Waiting/);
      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines.at(-1)).toBe(" [x] 3 of 3 sent back");
      await worker.printed(/Rejected/, { times: 3 });
      worker.press("^C");
      await worker.exit;

      const watcher = run("morgue");
      const shown = await watcher.printed(
        /rejected by a consumer of orders at \S+Z \(sent back before: 1\)$/,
        {
          times: 3,
        },
      );
      expect(shown.map((line) => line.slice(0, 12))).toEqual([1, 2, 3].map((n) => ` [x] glass ${n}`));
    });

    test("loses nothing to a full queue: what it pushes out is in the morgue again", async ({
      channel,
      run,
    }) => {
      for (const order of ["1", "2", "3", "4"]) await die(channel, order);
      expect(await run("morgue", "--replay").exit).toEqual({ code: 0, signal: null });
      const left = [await next(channel, queue), await next(channel, queue)];
      const pushedOut = [await next(channel, morgue), await next(channel, morgue)];
      expect([...pushedOut, ...left].map(({ content }) => `${content}`)).toEqual(["1", "2", "3", "4"]);
    });

    test("keeps what the broker refuses to take", async ({ channel, management, virtualHost, run }) => {
      await die(channel, "A vase");
      const policy = `/policies/${virtualHost.name}/refuse`;
      await management("PUT", policy, {
        pattern: `^${queue}$`,
        "apply-to": "queues",
        definition: { overflow: "reject-publish" },
      });
      const refused = async () => {
        try {
          await publish(channel, queue, "Filling");
          return false;
        } catch {
          return true;
        }
      };
      await expect.poll(refused, { timeout: within }).toBe(true);

      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 1, signal: null });
      expect(replay.lines).toEqual(["RabbitMQ refused a message (nack). Is its queue full?"]);
      expect((await next(channel, morgue)).content.toString()).toBe("A vase");
      await management("DELETE", policy);
    });

    test("killed between any two frames that it sends, loses nothing", async ({
      virtualHost,
      channel,
      runWith,
      wireTo,
    }) => {
      const wire = await wireTo(virtualHost.amqpUrl);
      let kills = 0;
      for (let frames = 0; kills === frames; frames++) {
        await die(channel, "A vase");
        const replay = runWith({ amqpUrl: wire.amqpUrl }, "morgue", "--replay");
        void wire.stopAt({ method: "basic.get", frames }).then(() => {
          kills++;
          replay.kill();
        });
        await replay.exit;

        const find = async () => (await channel.get(queue)) || (await channel.get(morgue));
        await expect
          .poll(find, { timeout: within, message: `killed after ${frames} frames` })
          .toMatchObject({ content: Buffer.from("A vase") });
        for (const name of [queue, morgue]) await channel.deleteQueue(name);
        await declareOrders(channel);
      }
      // A get, three frames of a message, and an ack.
      expect(kills).toBeGreaterThanOrEqual(5);
    });

    test("keeps a letter that died elsewhere, and one that nobody says died, in their places", async ({
      channel,
      run,
    }) => {
      await publish(channel, morgue, "not dead");
      await die(channel, "A vase");
      await publish(channel, morgue, "from elsewhere", {
        headers: { "x-death": [death({ queue: "payments" })] },
      });

      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([
        " [!] Kept not dead: it did not die in orders",
        " [x] Sent back A vase",
        " [!] Kept from elsewhere: it did not die in orders",
        " [x] 1 of 3 sent back",
      ]);
      expect((await next(channel, queue)).content.toString()).toBe("A vase");
      for (const kept of ["not dead", "from elsewhere"])
        expect((await next(channel, morgue)).content.toString()).toBe(kept);
    });

    test("keeps a letter whose queue is gone", async ({ channel }) => {
      await die(channel, "A vase");
      const letter = await next(channel, morgue);
      await channel.deleteQueue(queue);
      expect(await sendBack(channel, letter)).toBe("there is no queue orders");
    });

    test("keeps a letter that can't be written as it was read, and sends the next one", async ({
      channel,
      run,
    }) => {
      await publishWithIdOfNoText(channel);
      await die(channel, "A vase");
      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([
        " [!] Kept no text: its properties can't be written as they were",
        " [x] Sent back A vase",
        " [x] 1 of 2 sent back",
      ]);
    });

    test("sends back what another user published, and no copies of it", async ({
      broker,
      channel,
      virtualHost,
      runWith,
    }) => {
      const { queue: elsewhere } = await channel.assertQueue("", { exclusive: true });
      const userId = new URL(virtualHost.amqpUrl).username;
      await die(channel, "A vase", { userId, CC: [elsewhere] });
      expect((await next(channel, elsewhere)).content.toString()).toBe("A vase");

      const user = await broker.createUser({
        vhost: virtualHost.name,
        configure: ".*",
        write: ".*",
        read: ".*",
      });
      const replay = runWith({ amqpUrl: user.amqpUrl }, "morgue", "--replay");
      await replay.printed(" [x] 1 of 1 sent back");
      await replay.exit;
      await user.delete();
      expect((await next(channel, queue)).content.toString()).toBe("A vase");
      expect(await channel.get(elsewhere)).toBe(false);
    });

    test("leaves no story behind that would have the broker drop an order", async ({ channel, run }) => {
      // It looks as if it had gone round in a circle by itself; RabbitMQ 3 chokes on the second.
      const circle = [death({ queue }), death({ queue: morgue })];
      await publish(channel, morgue, "in circles", { headers: { "x-death": circle } });
      await publish(channel, morgue, "nonsense", { headers: { "x-death": [death({ queue }), null] } });
      await run("morgue", "--replay").printed(" [x] 2 of 2 sent back");

      for (const order of ["One", "Two"]) await publish(channel, queue, order);
      const watcher = run("morgue");
      await watcher.printed(/ in circles: found no room in orders at \S+Z \(sent back before: 1\)$/);
      await watcher.printed(/ nonsense: found no room in orders at \S+Z \(sent back before: 1\)$/);
    });

    test("says so when somebody holds the letters", async ({ channel, run }) => {
      await die(channel, "A vase");
      await run("morgue").printed(/A vase/);
      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 1, signal: null });
      expect(replay.errors).toEqual([
        " [!] Somebody is looking at the morgue, and holds what is in it. Close that program first.",
      ]);
    });

    test("has nothing to do in an empty morgue", async ({ run }) => {
      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([" [x] 0 of 0 sent back"]);
    });
  });

  test("RabbitMQ 3 believes a publisher's x-death, RabbitMQ 4 doesn't", async ({ broker, channel }) => {
    const headers = { "x-death": [death({ queue: morgue })] };
    await publish(channel, queue, "forged", { headers, expiration: "0" });
    await publish(channel, queue, "honest", { expiration: "0" });
    const dead = [`${(await next(channel, morgue)).content}`];
    if (dead[0] !== "honest") dead.push(`${(await next(channel, morgue)).content}`);
    expect(dead).toEqual(broker.version.startsWith("3.") ? ["honest"] : ["forged", "honest"]);
  });

  test("a worker holds ten orders at most, and acknowledges each", async ({
    management,
    virtualHost,
    run,
  }) => {
    await run("worker").printed(/Waiting/);
    await expect
      .poll(() => management("GET", `/consumers/${virtualHost.name}`), { timeout: within })
      .toMatchObject([{ queue: { name: queue }, prefetch_count: 10, ack_required: true }]);
  });

  test("all three show whatever comes, and obey none of it", async ({ channel, run }) => {
    await run("pub", "--ttl", "0", "\x1b[2J").printed(" [x] Sent '\\x1b[2J'");
    await next(channel, morgue);
    await channel.purgeQueue(morgue);
    const worker = run("worker", "--fail-on", "a");
    const watcher = run("morgue");
    await Promise.all([worker, watcher].map((terminal) => terminal.printed(/Waiting/)));
    const long = "a".repeat(2 ** 20);
    const bodies = [Buffer.from("\x1b[2Ja\nnd\x07"), Buffer.from([0x61, 0xff, 0x0a]), Buffer.from(long)];
    const shown = ["\\x1b[2Ja\\nnd\\x07", "a\ufffd\\n", long];
    for (const body of bodies) await publish(channel, queue, body);
    await watcher.printed(/rejected/, { times: 3 });
    await worker.printed(/Rejected/, { times: 3 });
    expect(worker.lines.slice(1)).toEqual(shown.map((body) => ` [x] Rejected: ${body}`));
    for (const [index, body] of shown.entries())
      expect(watcher.lines[index + 1]?.startsWith(` [x] ${body}: rejected`)).toBe(true);
  });
});

describe("a story", () => {
  const at = "1970-01-01T00:00:01Z";

  test("tells the deaths in their order", () => {
    const deaths = [
      death({ queue: "retry", reason: "expired", count: 2 }),
      death({ queue: "orders", reason: "rejected" }),
    ];
    expect(story({ "x-death": deaths, replays: 2 })).toBe(
      `rejected by a consumer of orders at ${at}, then expired in retry 2 times, last at ${at} (sent back before: 2)`,
    );
  });

  for (const [what, headers, expected] of [
    ["no headers", undefined, "nobody says how it died"],
    ["an x-death that is no list", { "x-death": "text" }, "nobody says how it died"],
    [
      "entries that are none",
      { "x-death": [null, 1, "x", {}, [], { queue: 1, reason: 2 }] },
      "nobody says how it died",
    ],
    [
      "an unknown reason",
      { "x-death": [death({ reason: "constructor" })] },
      `given up by orders (constructor) at ${at}`,
    ],
    [
      "control characters",
      { "x-death": [death({ reason: "\x07", queue: "\x1b[2J" })] },
      `given up by \\x1b[2J (\\x07) at ${at}`,
    ],
    ["no time", { "x-death": [{ queue: "q", reason: "maxlen" }] }, "found no room in q at an unknown time"],
    [
      "a time beyond all calendars",
      { "x-death": [death({ time: { "!": "timestamp", value: 2 ** 52 } })] },
      "expired in orders at an unknown time",
    ],
    [
      "a count that is none",
      { "x-death": [death({ count: "many" })], replays: -1 },
      `expired in orders at ${at}`,
    ],
  ] as const)
    test(`makes do with ${what}`, () => {
      expect(story(headers)).toBe(expected);
    });

  test("stays behind when the message is sent back", () => {
    const broker = [
      "x-death",
      "x-first-death-queue",
      "x-last-death-reason",
      "x-delivery-count",
      "x-acquired-count",
    ];
    const own = { "x-deadline": 1, "my-x-death": 2, cc: 3 };
    const headers = Object.fromEntries([...broker, "CC", "BCC"].map((name) => [name, "?"]));
    expect(headersForReplay({ ...headers, ...own })).toEqual({
      ...own,
      replays: 1,
    });
  });
});

/** An entry of x-death. */
function death(differences: Record<string, unknown>) {
  const time = { "!": "timestamp", value: 1 };
  return { count: 1, reason: "expired", queue, time, exchange: "", "routing-keys": [queue], ...differences };
}

async function pub({ exit, lines }: { exit: Promise<unknown>; lines: string[] }) {
  expect(await exit, lines.join("\n")).toEqual({ code: 0, signal: null });
}

async function publish(
  channel: ConfirmChannel,
  to: string,
  body: string | Buffer,
  options: Options.Publish = {},
) {
  channel.sendToQueue(to, Buffer.from(body as string), options);
  await channel.waitForConfirms();
}

/** Has an order rejected, and waits until it is in the morgue. */
async function die(channel: ConfirmChannel, body: string | Buffer, options: Options.Publish = {}) {
  const { messageCount } = await channel.checkQueue(morgue);
  await publish(channel, queue, body, options);
  channel.reject(await next(channel, queue), false);
  await expect
    .poll(async () => (await channel.checkQueue(morgue)).messageCount, { timeout: within })
    .toBe(messageCount + 1);
}

/** Takes the next message out of a queue, as soon as there is one. It is acknowledged with the channel's end. */
async function next(channel: ConfirmChannel, from: string): Promise<GetMessage> {
  let message: GetMessage | false = false;
  await expect
    .poll(async () => (message = await channel.get(from)), { timeout: within, interval: 50 })
    .not.toBe(false);
  return message as unknown as GetMessage;
}

/** A quorum queue counts deliveries in headers of its own. */
function withoutCounts({ properties: { headers } }: GetMessage) {
  const { "x-delivery-count": _, "x-acquired-count": __, ...others } = headers ?? {};
  return others;
}

/** Publishes a letter with a correlation id of 254 bytes that are not UTF-8, which amqplib would refuse to send. */
async function publishWithIdOfNoText(channel: ConfirmChannel) {
  const { stream } = channel.connection as unknown as { stream: { write(chunk: Buffer): boolean } };
  const write = stream.write.bind(stream);
  stream.write = (chunk) =>
    write(Buffer.from(chunk.toString("latin1").replaceAll("\xc3\xa9", "\xff\xff"), "latin1"));
  const headers = { "x-death": [death({ queue })] };
  channel.sendToQueue(morgue, Buffer.from("no text"), { correlationId: "é".repeat(127), headers });
  await channel.waitForConfirms();
}
