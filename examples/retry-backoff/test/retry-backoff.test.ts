import type { Channel, ConfirmChannel, GetMessage, Options } from "amqplib";
import { everyType, manners, openPlainClient, partsOf, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { story } from "../src/story.ts";
import { attempts, declareJobs, parked, queue } from "../src/topology.ts";
import { duration } from "../src/work.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(queue, { arguments: { "x-queue-type": "classic" } });
manners({
  pub: { args: ["A job"], wrong: [[]], conflict },
  worker: {
    wrong: [["now"], ["--fail-times", "often"]],
    stays: true,
    conflict,
  },
  parked: { wrong: [["all"]], stays: true, conflict },
});

const READY = " [*] Waiting for jobs. To exit press CTRL+C";
/** ms; a bound for what comes at once. */
const within = 30_000;
/** ms; what waits for it waits until the test is over. */
const hour = 3_600_000;
const waiting = ["jobs_wait_200ms", "jobs_wait_400ms", "jobs_wait_800ms"];

describe("with nothing in the queues", () => {
  test.beforeEach(async ({ channel }) => {
    for (const name of [...attempts.map((attempt) => attempt.queue), ...waiting, parked])
      await channel.deleteQueue(name);
    await declareJobs(channel);
  });

  test("a job is tried four times, later and later, and then parked with its story", async ({
    channel,
    run,
  }) => {
    await run("pub", "A piano").printed(/Sent/);
    const worker = run("worker", "--fail-times", "9");
    await worker.printed(/Parked/);
    expect(worker.lines).toEqual([
      READY,
      ...["Again in 200 ms", "Again in 400 ms", "Again in 800 ms", "Parked"].flatMap((next, index) => [
        ` [x] Received A piano (attempt ${index + 1})`,
        ` [x] Failed: A piano (simulated failure ${index + 1}). ${next}`,
      ]),
    ]);
    worker.press("^C");
    expect(await worker.exit).toEqual({ code: 0, signal: null });
    const watcher = run("parked");
    await watcher.printed(/ A piano: failed 4 times, at last rejected by a consumer of jobs_4 at \S+Z$/);
    watcher.press("^C");
    await watcher.exit;
    // However often one looks, it takes nothing away.
    for (let look = 0; look < 25; look++) channel.reject(await next(channel, parked), true);
    const { properties } = await next(channel, parked);
    expect(properties.messageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(properties.headers?.["x-death"]).toHaveLength(7);
  });

  test("each attempt leads to a wait of its own, and each wait to the next attempt", async ({
    channel,
    management,
    virtualHost,
  }) => {
    const chain = [200, 400, 800].flatMap((ms, index) => [
      { name: attempts[index]?.queue, to: waiting[index], limit: { "x-delivery-limit": 0 } },
      { name: waiting[index], to: attempts[index + 1]?.queue, limit: { "x-message-ttl": ms } },
    ]);
    for (const { name, to, limit } of chain)
      expect(await management("GET", `/queues/${virtualHost.name}/${name}`)).toMatchObject({
        durable: true,
        arguments: { ...limit, "x-dead-letter-strategy": "at-least-once", "x-dead-letter-routing-key": to },
      });
    await send(channel, "A job", {}, waiting[2]);
    const job = await next(channel, "jobs_4");
    expect(job.properties.headers?.["x-death"]).toMatchObject([{ queue: waiting[2], reason: "expired" }]);
  });

  test("a job that waits holds up no other", async ({ run }) => {
    const worker = run("worker", "--fail-times", "1", "--fail-on", "piano");
    await worker.printed(READY);
    await run("pub", "A piano", "A chair").exit;
    await worker.printed(" [x] Done: A piano");
    expect(worker.lines.slice(1)).toEqual([
      " [x] Received A piano (attempt 1)",
      " [x] Failed: A piano (simulated failure 1). Again in 200 ms",
      " [x] Received A chair (attempt 1)",
      " [x] Done: A chair",
      " [x] Received A piano (attempt 2)",
      " [x] Done: A piano",
    ]);
  });

  test("killed between any two frames of a retry, a worker loses nothing", async ({
    virtualHost,
    channel,
    runWith,
    wireTo,
  }) => {
    const wire = await wireTo(virtualHost.amqpUrl);
    // Its answer to the first attempt, and that to the second.
    for (const frames of [0, 1]) {
      await send(channel, "A piano");
      const stopped = wire.stopAt({ method: "basic.reject", frames });
      const worker = runWith({ amqpUrl: wire.amqpUrl }, "worker", "--fail-times", "9");
      await stopped;
      worker.kill();
      expect(await worker.exit).toEqual({ code: null, signal: "SIGKILL" });
      const job = await next(channel, attempts[frames + 1]?.queue ?? "");
      expect(job.properties.headers?.["x-death"]).toContainEqual(
        expect.objectContaining({ reason: "delivery_limit", queue: attempts[frames]?.queue }),
      );
      channel.ack(job);
    }
  });

  test("a job that kills its workers is parked after four", async ({ broker, channel, run }) => {
    const poison = `Poison${".".repeat(600)}`;
    await run("pub", poison).exit;
    for (const { number } of attempts) {
      const victim = run("worker");
      await victim.printed(` [x] Received ${poison} (attempt ${number})`);
      victim.kill();
      await victim.exit;
    }
    await held(channel, parked, 1);
    const replay = run("parked", "--replay");
    await replay.exit;
    expect(replay.lines).toEqual(
      broker.version.startsWith("3.")
        ? [
            ` [!] Kept ${poison}: all of its workers died, so RabbitMQ 3 might drop it`,
            " [x] 0 of 1 sent back",
          ]
        : [` [x] Sent back ${poison}`, " [x] 1 of 1 sent back"],
    );
  });

  test("a job that dies with its workers does no harm to the next", async ({ channel, run }) => {
    await send(channel, "Poison");
    for (const attempt of attempts) channel.reject(await next(channel, attempt.queue), true);
    await held(channel, parked, 1);
    await run("parked").printed(/^ \[x\] Poison: failed 4 times, at last delivered too often from jobs_4 at/);
    const worker = run("worker");
    await run("pub", "A chair").exit;
    await worker.printed(" [x] Done: A chair");
    expect(worker.lines).toEqual([READY, " [x] Received A chair (attempt 1)", " [x] Done: A chair"]);
  });

  test("a job can be parked and sent back again and again", async ({ channel }) => {
    await send(channel, "A job");
    for (let round = 0; round < 3; round++) {
      // Rejected at one attempt, each time at another, and given back by a lost worker at the others.
      for (const { queue, number } of attempts)
        channel.reject(await next(channel, queue), number !== 1 + round);
      channel.reject(await next(channel, parked), false);
    }
    expect((await next(channel, queue)).content.toString()).toBe("A job");
  });

  describe("on their way through the queues", () => {
    test("jobs stay as another client sent them, byte for byte: retried, parked and sent back", async ({
      channel,
      virtualHost,
      run,
    }) => {
      const client = await openPlainClient(virtualHost.amqpUrl);
      await client.publish(queue, everyType(), "A job");
      const worker = run("worker", "--fail-times", "9");
      await worker.printed(/Parked/);
      worker.press("^C");
      await worker.exit;
      await held(channel, parked, 1);
      const replay = run("parked", "--replay");
      expect(await replay.exit).toEqual({ code: 0, signal: null });
      expect(replay.lines).toEqual([" [x] Sent back A job", " [x] 1 of 1 sent back"]);
      await held(channel, queue, 1);
      const job = await client.get(queue);
      client.close();
      expect(job?.body).toBe("A job");
      expect(partsOf(job?.properties as Buffer)).toEqual(partsOf(everyType()));
    });

    test("jobs are shown, not obeyed, and no copies are made", async ({ channel, run }) => {
      const { queue: elsewhere } = await channel.assertQueue("", { exclusive: true });
      const worker = run("worker", "--fail-times", "9");
      await worker.printed(READY);
      const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0x66, 0xff]), Buffer.alloc(2 ** 20, "x")];
      for (const body of bodies) {
        await send(channel, body, { CC: [elsewhere], expiration: "60000" });
        const job = await next(channel, parked);
        expect(job.content.equals(body)).toBe(true);
        expect(job.properties.expiration).toBeUndefined();
      }
      expect(await channel.checkQueue(elsewhere)).toMatchObject({ messageCount: bodies.length });
      const shown = worker.lines.filter((line) => line.endsWith("(attempt 1)"));
      expect(shown).toEqual(
        ["\\x1b[2J\\nand\\x07", "f\ufffd", "x".repeat(2 ** 20)].map(
          (body) => ` [x] Received ${body} (attempt 1)`,
        ),
      );
    });

    test("a job can't choose where it goes: its publisher's x-death leads nowhere", async ({
      channel,
      run,
    }) => {
      const entry = { count: 1, reason: "rejected", queue, exchange: "", "routing-keys": ["elsewhere"] };
      await send(channel, "A piano", { headers: { "x-death": [entry] } });
      await run("worker", "--fail-times", "9").printed(/attempt 4/);
      expect((await next(channel, parked)).content.toString()).toBe("A piano");
    });

    test("a job whose publisher wrote nonsense into x-death doesn't stop the others", async ({
      channel,
      run,
    }) => {
      const worker = run("worker", "--fail-times", "1");
      await worker.printed(READY);
      for (const nonsense of [[null], ["text"], [{ queue, reason: "rejected", count: "many" }]])
        await send(channel, "Nonsense", { headers: { "x-death": nonsense } });
      await send(channel, "A piano");
      await worker.printed(" [x] Done: A piano");
      const dropped = worker.lines.filter((line) => line.startsWith(" [!] Dropped"));
      expect(dropped).toHaveLength(3);
    });
  });

  test("a worker has one job of each attempt in hand", async ({ management, virtualHost, run }) => {
    await run("worker").printed(READY);
    const consumers = () => management("GET", `/consumers/${virtualHost.name}`);
    await expect
      .poll(consumers, { timeout: within })
      .toMatchObject(attempts.map(() => ({ prefetch_count: 1, ack_required: true })));
  });
});

test("a job takes a second for each dot, and ten at most", () => {
  expect(["A job", "A job..", ".".repeat(600)].map((job) => duration(Buffer.from(job)))).toEqual([
    0, 2_000, 10_000,
  ]);
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
  const time = { "!": "timestamp", value: 1 };
  const at = "1970-01-01T00:00:01Z";
  for (const [what, deaths, expected] of [
    ["no deaths", [], "why is unknown"],
    ["a wait only", [{ reason: "expired", queue: waiting[0], time }], "why is unknown"],
    [
      "one failure",
      [{ reason: "rejected", queue, time, count: 1 }],
      `failed 1 time, at last rejected by a consumer of jobs at ${at}`,
    ],
    [
      "many",
      [
        { reason: "delivery_limit", queue: "jobs_4", time, count: 1 },
        { reason: "expired", queue: waiting[2], time, count: 1 },
        { reason: "rejected", queue: "jobs_3", time, count: 2 },
      ],
      `failed 3 times, at last delivered too often from jobs_4 at ${at}`,
    ],
  ] as const)
    test(`of ${what}`, () => {
      expect(story({ "x-death": deaths })).toBe(expected);
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

/** Waits until a queue holds that many messages. */
async function held(channel: ConfirmChannel, name: string, messages: number) {
  await expect
    .poll(async () => (await channel.checkQueue(name)).messageCount, { timeout: within, interval: 20 })
    .toBe(messages);
}
