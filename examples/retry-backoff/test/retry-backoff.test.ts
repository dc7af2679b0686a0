import type { Channel, ConfirmChannel, GetMessage, Options } from "amqplib";
import { manners, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { move } from "../src/move.ts";
import { story } from "../src/story.ts";
import { declareDelays, declareJobs, parked, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(queue, { arguments: { "x-queue-type": "classic" } });
manners({
  pub: { args: ["A job"], wrong: [[]], conflict },
  worker: {
    wrong: [["now"], ["--fail-times", "often"], ["--unit", "0"], ["--unit", "3600001"]],
    stays: true,
    conflict,
  },
  parked: { wrong: [["all"]], stays: true, conflict },
});

const READY = " [*] Waiting for jobs. To exit press CTRL+C";
/** ms; a bound for what comes at once. */
const within = 30_000;
/** ms: what waits for it waits until the test is over. */
const hour = 3_600_000;
const forAnHour = "jobs_wait_3600000ms";

describe("with nothing in the queues", () => {
  test.beforeEach(async ({ channel }) => {
    const delays = [1, 2, 4].flatMap((step) => [`jobs_wait_${step}ms`, `jobs_wait_${step * hour}ms`]);
    for (const name of [queue, parked, ...delays]) await channel.deleteQueue(name);
    await declareJobs(channel);
  });

  test("a job is tried four times, later and later, and then parked with its story", async ({
    channel,
    run,
  }) => {
    await run("pub", "A piano").printed(/Sent/);
    const worker = run("worker", "--fail-times", "9", "--unit", "1");
    await worker.printed(/Parked/);
    expect(worker.lines).toEqual([
      READY,
      ...["Again in 1 ms", "Again in 2 ms", "Again in 4 ms", "Parked"].flatMap((next, index) => [
        ` [x] Received A piano (attempt ${index + 1})`,
        ` [x] Failed (simulated failure ${index + 1}). ${next}`,
      ]),
    ]);
    worker.press("^C");
    expect(await worker.exit).toEqual({ code: 0, signal: null });
    const watcher = run("parked");
    await watcher.printed(" [x] A piano: failed 4 times, at last: simulated failure 4");
    watcher.press("^C");
    await watcher.exit;
    // However often one looks, it takes nothing away.
    for (let look = 0; look < 25; look++) channel.nack(await next(channel, parked));
    for (let look = 0; look < 25; look++) channel.reject(await next(channel, parked), true);
    const job = await next(channel, parked);
    expect(job.properties).toMatchObject({
      deliveryMode: 2,
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(job.properties.headers).toEqual({ attempts: 4, failure: "simulated failure 4" });
  });

  test("each wait has a queue of its own, with its TTL", async ({ channel, management, virtualHost }) => {
    const delays = await declareDelays(channel, 1);
    expect(delays.map(({ ms }) => ms)).toEqual([1, 2, 4]);
    for (const { queue: name, ms } of delays) {
      expect(await management("GET", `/queues/${virtualHost.name}/${name}`)).toMatchObject({
        durable: true,
        arguments: { "x-message-ttl": ms, "x-dead-letter-strategy": "at-least-once" },
      });
      await send(channel, "A job", {}, name);
      const job = await next(channel, queue);
      expect(job.properties.headers?.["x-death"]).toMatchObject([{ queue: name, reason: "expired" }]);
    }
  });

  test("a job that waits holds up no other, not even one that has to wait less", async ({ channel, run }) => {
    const patient = run("worker", "--fail-times", "9", "--fail-on", "piano", "--unit", `${hour}`);
    await patient.printed(READY);
    await run("pub", "A piano", "A chair").exit;
    await patient.printed(" [x] Done");
    expect(patient.lines.slice(1)).toEqual([
      " [x] Received A piano (attempt 1)",
      ` [x] Failed (simulated failure 1). Again in ${hour} ms`,
      " [x] Received A chair (attempt 1)",
      " [x] Done",
    ]);
    patient.press("^C");
    await patient.exit;
    const hasty = run("worker", "--fail-times", "1", "--unit", "1");
    await hasty.printed(READY);
    await send(channel, "A lamp");
    await hasty.printed(" [x] Done");
    expect(hasty.lines.at(-2)).toBe(" [x] Received A lamp (attempt 2)");
    expect(await channel.checkQueue(forAnHour)).toMatchObject({ messageCount: 1 });
  });

  test("killed between any two frames of a retry, a worker loses nothing", async ({
    virtualHost,
    channel,
    runWith,
    wireTo,
  }) => {
    const wire = await wireTo(virtualHost.amqpUrl);
    // A message is three frames; the fourth would be its acknowledgement.
    for (const frames of [0, 1, 2, 3]) {
      await send(channel, "A piano");
      const stopped = wire.stopAt({ method: "basic.publish", frames });
      const worker = runWith({ amqpUrl: wire.amqpUrl }, "worker", "--fail-times", "9", "--unit", `${hour}`);
      await stopped;
      worker.kill();
      expect(await worker.exit).toEqual({ code: null, signal: "SIGKILL" });
      const job = await next(channel, queue);
      expect({ frames, redelivered: job.fields.redelivered }).toEqual({ frames, redelivered: true });
      channel.ack(job);
    }
    // The last one had sent its copy. Nobody waited for its confirm.
    await expect
      .poll(() => channel.checkQueue(forAnHour), { timeout: within })
      .toMatchObject({ messageCount: 1 });
  });

  test("a job whose copy the broker refuses is kept", async ({ channel, management, virtualHost, run }) => {
    await declareDelays(channel, hour);
    const policy = `/policies/${virtualHost.name}/full`;
    await management("PUT", policy, {
      pattern: `^${forAnHour}$`,
      "apply-to": "queues",
      definition: { "max-length": 1 },
    });
    const refused = () =>
      send(channel, "Filling", {}, forAnHour).then(
        () => false,
        () => true,
      );
    await expect.poll(refused, { timeout: within }).toBe(true);
    await send(channel, "A piano");
    const worker = run("worker", "--fail-times", "9", "--unit", `${hour}`);
    await worker.printed(/A handler failed: Error: message nacked/);
    worker.kill();
    expect((await next(channel, queue)).content.toString()).toBe("A piano");
    await management("DELETE", policy);
  });

  test("a job whose delay queue is gone is kept; its own TTL ends when it is moved", async ({ channel }) => {
    await send(channel, "A piano", { expiration: "60000" });
    const job = await next(channel, queue);
    await expect(move(channel, job, "nowhere")).rejects.toThrow("There is no queue nowhere.");
    expect(await move(channel, job, parked)).toBe(true);
    expect((await next(channel, parked)).properties.expiration).toBeUndefined();
  });

  test("a worker that may not publish any more starts again when it may", async ({
    broker,
    channel,
    management,
    virtualHost,
    runWith,
  }) => {
    const may = { configure: ".*", write: ".*", read: ".*" };
    const user = await broker.createUser({ vhost: virtualHost.name, ...may });
    const worker = runWith({ amqpUrl: user.amqpUrl }, "worker", "--fail-times", "1", "--unit", "1");
    await worker.printed(READY);
    const permissions = `/permissions/${virtualHost.name}/${user.name}`;
    await management("PUT", permissions, { ...may, write: "" });
    await send(channel, "A piano");
    await worker.printed(/ACCESS_REFUSED/);
    await management("PUT", permissions, may);
    await send(channel, "A chair");
    await worker.printed(" [x] Received A chair (attempt 2)");
    await user.delete();
  });

  test("a job that kills its worker is parked after three, and does no harm to the next", async ({
    channel,
    run,
  }) => {
    const poison = `Poison${".".repeat(600)}`;
    await run("pub", poison, "A chair").exit;
    for (const _ of [1, 2, 3]) {
      const victim = run("worker");
      await victim.printed(` [x] Received ${poison} (attempt 1)`);
      victim.kill();
      await victim.exit;
    }
    const worker = run("worker");
    await worker.printed(" [x] Done");
    expect(worker.lines).toEqual([READY, " [x] Received A chair (attempt 1)", " [x] Done"]);
    await run("parked").printed(` [x] ${poison}: came back too often without an answer`);
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
  });

  describe("on their way through the queues", () => {
    test("jobs keep what their publisher gave them, byte for byte, and no more", async ({
      broker,
      channel,
      virtualHost,
      runWith,
    }) => {
      const { queue: elsewhere } = await channel.assertQueue("", { exclusive: true });
      const properties = { contentType: "text/plain", messageId: "m", priority: 3, timestamp: 1, type: "t" };
      const { username: userId } = new URL(virtualHost.amqpUrl);
      // It looks as if it had gone round in a circle by itself: RabbitMQ 3 would drop it on its way back.
      const circle = { count: 1, reason: "expired", queue, exchange: "", "routing-keys": [queue] };
      const headers = { customer: 7, "x-death": [circle], attempts: "many", failure: 1 };
      const options = { ...properties, headers, userId, CC: [elsewhere], expiration: "60000" };
      const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0x66, 0xff]), Buffer.alloc(2 ** 20, "x")];
      const user = await broker.createUser({
        vhost: virtualHost.name,
        configure: ".*",
        write: ".*",
        read: ".*",
      });
      const worker = runWith({ amqpUrl: user.amqpUrl }, "worker", "--fail-times", "9", "--unit", "1");
      await worker.printed(READY);
      for (const body of bodies) {
        await send(channel, body, options);
        const job = await next(channel, parked);
        expect(job.content.equals(body)).toBe(true);
        expect(job.properties).toMatchObject({ ...properties, deliveryMode: 2, expiration: undefined });
        expect(job.properties.headers).toEqual({ customer: 7, attempts: 4, failure: "simulated failure 4" });
      }
      // One copy each, by their publisher.
      expect(await channel.checkQueue(elsewhere)).toMatchObject({ messageCount: bodies.length });
      const shown = worker.lines.filter((line) => line.endsWith("(attempt 1)"));
      expect(shown).toEqual(
        ["\\x1b[2J\\nand\\x07", "f\ufffd", "x".repeat(2 ** 20)].map(
          (body) => ` [x] Received ${body} (attempt 1)`,
        ),
      );
      worker.press("^C");
      await worker.exit;
      await user.delete();
    });

    test("a job that can't be written anew is parked as it is", async ({ channel, run }) => {
      const worker = run("worker", "--fail-times", "9", "--unit", "1");
      await worker.printed(READY);
      sendWithIdOfNoText(channel);
      await worker.printed(" [x] Failed (simulated failure 1). Parked");
      await run("pub", "Another").exit;
      await worker.printed(" [x] Received Another (attempt 4)");
      const watcher = run("parked");
      await watcher.printed(" [x] no text: rejected by a worker");
      watcher.press("^C");
      await watcher.exit;
      const replay = run("parked", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toContain(" [!] Kept no text: it can't be written as it was");
    });

    test("a job that claims to have failed often is parked by its next failure", async ({ channel, run }) => {
      await send(channel, "A piano", { headers: { attempts: 4000 } });
      await run("worker", "--fail-times", "9999").printed(" [x] Failed (simulated failure 4001). Parked");
      await next(channel, parked);
    });
  });

  describe("parked --replay", () => {
    test("gives jobs all their attempts again, and ends", async ({ channel, run }) => {
      for (const job of ["1", "2"])
        await send(
          channel,
          job,
          { messageId: job, headers: { attempts: 4, failure: "?", customer: 7 } },
          parked,
        );
      const replay = run("parked", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([" [x] Sent back 1", " [x] Sent back 2", " [x] 2 of 2 sent back"]);
      expect(await channel.checkQueue(parked)).toMatchObject({ messageCount: 0 });
      for (const messageId of ["1", "2"]) {
        const { properties } = await next(channel, queue);
        expect(properties).toMatchObject({ messageId, deliveryMode: 2, headers: { customer: 7 } });
        expect(properties.headers).not.toHaveProperty("attempts");
        expect(properties.headers).not.toHaveProperty("failure");
      }
    });

    test("says so when somebody holds them", async ({ run }) => {
      await run("parked").printed(/Waiting/);
      const replay = run("parked", "--replay");
      expect(await replay.exit).toEqual({ code: 1, signal: null });
      expect(replay.lines).toEqual([
        " [!] Somebody is looking at the parked jobs, and holds them. Close that program first.",
      ]);
    });
  });

  test("what counts towards a delivery limit differs: on RabbitMQ 3 a nack does, on RabbitMQ 4 it doesn't", async ({
    broker,
    channel,
  }) => {
    await send(channel, "A job");
    for (let delivery = 1; delivery <= 3; delivery++) channel.nack(await next(channel, queue));
    const place = broker.version.startsWith("3.") ? parked : queue;
    expect((await next(channel, place)).content.toString()).toBe("A job");
  });
});

test("a quorum queue that delays what is put back does so from RabbitMQ 4.3 on; older ones ignore it", async ({
  broker,
  channel,
}) => {
  const name = "with_delayed_retry";
  const delayed = { "x-delayed-retry-type": "failed", "x-delayed-retry-min": hour };
  await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum", ...delayed } });
  for (const job of ["A piano", "A chair"]) await send(channel, job, {}, name);
  channel.reject(await next(channel, name), true);
  const canDelay = broker.version.localeCompare("4.3", "en", { numeric: true }) >= 0;
  const jobs = [await next(channel, name), ...(canDelay ? [] : [await next(channel, name)])];
  expect(jobs.map(({ content }) => content.toString()).sort()).toEqual(
    canDelay ? ["A chair"] : ["A chair", "A piano"],
  );
  expect(await channel.get(name)).toBe(false);
});

test("a quorum queue that says nothing has no limit on RabbitMQ 3, and one of 20 on RabbitMQ 4", async ({
  broker,
  channel,
}) => {
  const name = "without_limit";
  await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
  await send(channel, "A job", {}, name);
  for (let delivery = 0; delivery <= 20; delivery++) channel.reject(await next(channel, name), true);
  const there = async () => (await channel.checkQueue(name)).messageCount;
  await expect.poll(there, { timeout: within }).toBe(broker.version.startsWith("3.") ? 1 : 0);
});

describe("a story", () => {
  for (const [what, headers, expected] of [
    ["no headers", undefined, "nobody says why"],
    ["one attempt", { attempts: 1 }, "failed 1 time"],
    [
      "both",
      { attempts: 2, failure: "x", "x-death": [{ reason: "delivery_limit" }] },
      "failed 2 times, at last: x, then came back too often without an answer",
    ],
    ["control characters", { attempts: 2, failure: "\x1b[2J" }, "failed 2 times, at last: \\x1b[2J"],
    ["an unknown reason", { "x-death": [{ reason: "\x07" }] }, "given up (\\x07)"],
    ["an x-death that is none", { "x-death": "text", attempts: -1, failure: 1 }, "nobody says why"],
    ["entries that are none", { "x-death": [null], attempts: 1.5 }, "nobody says why"],
  ] as const)
    test(`makes do with ${what}`, () => {
      expect(story(headers)).toBe(expected);
    });
});

/** Publishes a job and waits for its confirm. */
async function send(
  channel: ConfirmChannel,
  body: string | Buffer,
  options: Options.Publish = {},
  to: string = queue,
) {
  channel.sendToQueue(to, Buffer.from(body as string), options);
  await channel.waitForConfirms();
}

/** Takes the next message out of a queue, as soon as there is one. It is acknowledged with the channel's end. */
async function next(channel: ConfirmChannel, from: string): Promise<GetMessage> {
  let message: GetMessage | false = false;
  await expect
    .poll(async () => (message = await channel.get(from)), { timeout: within, interval: 20 })
    .not.toBe(false);
  return message as unknown as GetMessage;
}

/** Publishes a job with a correlation id of 254 bytes that are not UTF-8, which amqplib would refuse to send. */
function sendWithIdOfNoText(channel: ConfirmChannel) {
  const { stream } = channel.connection as unknown as { stream: { write(chunk: Buffer): boolean } };
  const write = stream.write.bind(stream);
  stream.write = (chunk) =>
    write(Buffer.from(chunk.toString("latin1").replaceAll("\xc3\xa9", "\xff\xff"), "latin1"));
  channel.sendToQueue(queue, Buffer.from("no text"), { correlationId: "é".repeat(127) });
}
