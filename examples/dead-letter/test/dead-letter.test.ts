import amqp, { type Channel, type ConfirmChannel, type GetMessage, type Options } from "amqplib";
import { everyType, manners, openPlainClient, partsOf, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { story } from "../src/story.ts";
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

  test("what is declared outlives the broker, and the morgue loses no letter", async ({
    management,
    virtualHost,
  }) => {
    expect(await management("GET", `/exchanges/${virtualHost.name}/dead_letters`)).toMatchObject({
      durable: true,
    });
    expect(await management("GET", `/queues/${virtualHost.name}/${morgue}`)).toMatchObject({
      durable: true,
      arguments: { "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish" },
    });
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

    test("looks take nothing away, however many, and change no order", async ({
      channel,
      virtualHost,
      run,
    }) => {
      for (const order of ["1", "2", "3"]) await die(channel, order);
      const watcher = run("morgue");
      await watcher.printed(/ 3: /);
      watcher.press("^C");
      expect(await watcher.exit).toEqual({ code: 0, signal: null });

      const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
      for (let look = 0; look < 25; look++) {
        const eye = await connection.createChannel();
        const seen: string[] = [];
        await eye.consume(morgue, (letter) => letter && seen.push(`${letter.content}`));
        await expect.poll(() => seen, { timeout: within, interval: 10 }).toEqual(["1", "2", "3"]);
        await eye.close();
      }
      await connection.close();
    });
  });

  describe("--replay", () => {
    test("sends back what another client sent, byte for byte", async ({ channel, virtualHost, run }) => {
      const client = await openPlainClient(virtualHost.amqpUrl);
      await client.publish(queue, everyType(), "An order");
      channel.reject(await next(channel, queue), false);
      await held(channel, morgue, 1);

      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([" [x] Sent back An order", " [x] 1 of 1 sent back"]);
      await held(channel, queue, 1);
      const order = await client.get(queue);
      client.close();
      expect(order?.body).toBe("An order");
      expect(partsOf(order?.properties as Buffer)).toEqual(partsOf(everyType()));
    });

    test("lets what it sends back live, and makes no copies of it", async ({ channel, run }) => {
      const { queue: elsewhere } = await channel.assertQueue("", { exclusive: true });
      await die(channel, "A vase", { expiration: "100000", CC: [elsewhere] });
      expect((await next(channel, elsewhere)).content.toString()).toBe("A vase");
      await run("morgue", "--replay").printed(" [x] 1 of 1 sent back");
      expect((await next(channel, queue)).properties.expiration).toBeUndefined();
      expect(await channel.get(elsewhere)).toBe(false);
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
        /rejected by a consumer of orders 2 times, last at \S+Z \(sent back before: 1\)$/,
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
      // A get, a reject and a declare.
      expect(kills).toBeGreaterThanOrEqual(3);
    });

    test("keeps a letter that died elsewhere, and one that did not die, in their places", async ({
      channel,
      run,
    }) => {
      await publish(channel, morgue, "not dead");
      await die(channel, "A vase");
      // It is not the letter that decides where it goes.
      await publish(channel, morgue, "from elsewhere", {
        headers: { "x-death": [death({ queue: "payments", "routing-keys": ["payments"] })] },
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

    test("sends back again and again what dies in every way: a rejection in the circle keeps it", async ({
      channel,
      run,
    }) => {
      for (let round = 0; round < 2; round++) {
        await publish(channel, queue, "A vase", { expiration: "0" });
        for (const order of ["A lamp", "A chair"]) await publish(channel, queue, order);
        await held(channel, morgue, 1);
        // In the full queue it pushes out the lamp, and two more push out the vase.
        await run("morgue", "--replay").printed(" [x] 1 of 1 sent back");
        await held(channel, morgue, 1);
        for (const order of ["A table", "A bed"]) await publish(channel, queue, order);
        await held(channel, morgue, 3);
        await run("morgue", "--replay").printed(" [x] 3 of 3 sent back");
        const found: string[] = [];
        for (let letter = 0; letter < 5; letter++) {
          const message = (await channel.get(queue)) || (await next(channel, morgue));
          found.push(`${message.content}`);
          channel.ack(message);
        }
        expect(found.toSorted()).toEqual(["A bed", "A chair", "A lamp", "A table", "A vase"]);
      }
    });

    test("says so when somebody holds the letters", async ({ channel, run }) => {
      await die(channel, "A vase");
      await run("morgue").printed(/A vase/);
      const replay = run("morgue", "--replay");
      expect(await replay.exit).toEqual({ code: 1, signal: null });
      expect(replay.errors).toEqual([
        " [!] Another program is looking at morgue and holds what is in it. Close it first.",
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
    // The whole line: a long one arrives in pieces.
    await worker.printed(` [x] Rejected: ${long}`);
    expect(worker.lines.slice(1)).toEqual(shown.map((body) => ` [x] Rejected: ${body}`));
    for (const [index, body] of shown.entries())
      expect(watcher.lines[index + 1]?.startsWith(` [x] ${body}: rejected`)).toBe(true);
  });
});

test("a story tells the deaths in orders, and how often the morgue has sent it back", () => {
  const deaths = [
    death({ reason: "rejected", count: 2 }),
    death({ queue: morgue, reason: "rejected", count: 2 }),
    death({ reason: "maxlen" }),
  ];
  const at = "1970-01-01T00:00:01Z";
  expect(story({ "x-death": deaths })).toBe(
    `found no room in orders at ${at}, then rejected by a consumer of orders 2 times, last at ${at} (sent back before: 2)`,
  );
  expect(story(undefined)).toBe("how it died is unknown");
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
  await held(channel, morgue, messageCount + 1);
}

/** Waits until a queue holds that many messages. */
async function held(channel: ConfirmChannel, name: string, messages: number) {
  await expect
    .poll(async () => (await channel.checkQueue(name)).messageCount, { timeout: within, interval: 20 })
    .toBe(messages);
}

/** Takes the next message out of a queue, as soon as there is one. It is acknowledged with the channel's end. */
async function next(channel: ConfirmChannel, from: string): Promise<GetMessage> {
  let message: GetMessage | false = false;
  await expect
    .poll(async () => (message = await channel.get(from)), { timeout: within, interval: 50 })
    .not.toBe(false);
  return message as unknown as GetMessage;
}
