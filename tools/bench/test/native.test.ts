import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel, GetMessage } from "amqplib";
import type { VirtualHost } from "broker";
import { test } from "testkit";
import { afterEach, beforeEach, describe, expect, vi } from "vitest";
import { findNative, findPika } from "../src/native.ts";
import { addUp, numbered, type Tally } from "../src/seen.ts";
import { type Program, startWorker } from "../src/worker.ts";

const native = await findNative();
const pika = await findPika();

/** Runs a worker that publishes or calls to its end. */
async function run(program: Program, { amqpUrl }: VirtualHost) {
  const worker = startWorker(program, { amqpUrl });
  await worker.ready;
  worker.go();
  try {
    return await worker.done;
  } finally {
    await worker.kill();
  }
}

/** Runs a consumer until it has had as many messages. */
async function runUntil(messages: number, program: Program, { amqpUrl }: VirtualHost) {
  const worker = startWorker(program, {
    amqpUrl,
    onProgress: (count) => count === messages && worker.go(),
  });
  return worker.done;
}

async function take(channel: Channel, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue, { noAck: true });
  if (!message) throw new Error(`nothing in ${queue}`);
  return message;
}

describe("librabbitmq", () => {
  if ("missing" in native) {
    test("is not here, and a line says what to install", () => {
      expect(native.missing).toMatch(/^[^\n]+ not installed: apt-get install .*gcc/);
    });
    return;
  }

  test("publishes with and without confirms, and says how long these took", async ({
    channel,
    virtualHost,
  }) => {
    const { queue } = await channel.assertQueue("producer");
    const work = { queue, count: 300, size: 100 };
    const confirmed = await run(native.producer({ ...work, persistent: true, window: 10 }), virtualHost);
    expect(confirmed.count).toBe(300);
    expect(confirmed.last).toBeGreaterThan(confirmed.first as number);
    expect(confirmed.p50).toBeGreaterThan(0);
    expect(confirmed.p99).toBeGreaterThanOrEqual(confirmed.p50 as number);
    expect(confirmed.max).toBeGreaterThanOrEqual(confirmed.p99 as number);
    const { content, properties } = await take(channel, queue);
    expect(properties.deliveryMode).toBe(2);
    expect(content).toEqual(numbered(0, 100));
    expect((await channel.purgeQueue(queue)).messageCount).toBe(299);

    const bare = await run(native.producer({ ...work, persistent: false, window: 0 }), virtualHost);
    expect(bare).toEqual({ count: 300, first: expect.any(Number), last: expect.any(Number) });
    expect((await take(channel, queue)).properties.deliveryMode).toBe(1);
    expect((await channel.purgeQueue(queue)).messageCount).toBe(299);
  });

  test("consumes in each way, and notes what is missing and what came twice", async ({
    channel,
    virtualHost,
  }) => {
    const { queue } = await channel.assertQueue("consumer");
    for (const ack of ["each", "grouped", "auto"] as const) {
      // Number 6 is missing, number 5 comes twice.
      for (let n = 0; n < 300; n++) channel.sendToQueue(queue, numbered(n === 6 ? 5 : n, 100));
      await channel.waitForConfirms();
      const { count, first, last, ...tally } = await runUntil(
        300,
        native.consumer({ queue, prefetch: 50, ack, count: 300 }),
        virtualHost,
      );
      expect(count).toBe(300);
      expect(last).toBeGreaterThanOrEqual(first as number);
      expect(addUp([tally as unknown as Tally], 300)).toEqual({ missing: 1, duplicates: 1 });
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0, consumerCount: 0 });
    }
  });

  test("shares a queue with others until it is told to stop", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue("shared");
    const consumer = () =>
      startWorker(native.consumer({ queue, prefetch: 1, ack: "each", count: 40 }), virtualHost);
    const consumers = [consumer(), consumer()];
    for (const { ready } of consumers) await ready;
    for (let n = 0; n < 40; n++) channel.sendToQueue(queue, numbered(n, 4));
    await channel.waitForConfirms();
    await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(0);
    for (const worker of consumers) worker.go();
    const tallies = await Promise.all(consumers.map(({ done }) => done));
    // What was delivered when they stopped and not acknowledged would be back in the queue.
    expect((await channel.checkQueue(queue)).messageCount).toBe(0);
    expect(addUp(tallies as unknown as Tally[], 40)).toEqual({ missing: 0, duplicates: 0 });
    for (const { count } of tallies) expect(count).toBeGreaterThan(0);
  });

  test("calls, and answers", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue("rpc");
    for (const ack of ["each", "auto"] as const) {
      const server = startWorker(native.server({ queue, prefetch: 10, ack }), virtualHost);
      await server.ready;
      for (const replies of ["direct", "exclusive"] as const) {
        const caller = native.caller({ queue, count: 200, size: 20, inFlight: 20, replies });
        const done = await run(caller, virtualHost);
        expect(done.count).toBe(200);
        expect(done.p50).toBeGreaterThan(0);
      }
      server.go();
      await server.done;
      expect((await channel.checkQueue(queue)).messageCount).toBe(0);
    }
  });

  test("has replies sent to where it was told", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue("answered-here");
    const requests: { replyTo: string; size: number }[] = [];
    await channel.consume(
      queue,
      (request) => {
        const { replyTo, correlationId } = request?.properties ?? {};
        const content = request?.content ?? Buffer.alloc(0);
        requests.push({ replyTo, size: content.length });
        channel.sendToQueue(replyTo, content, { correlationId });
      },
      { noAck: true },
    );
    for (const replies of ["direct", "exclusive"] as const)
      await run(native.caller({ queue, count: 1, size: 20, inFlight: 1, replies }), virtualHost);
    expect(requests).toEqual([
      { replyTo: expect.stringMatching(/^amq\.rabbitmq\.reply-to\./), size: 20 },
      { replyTo: expect.stringMatching(/^amq\.gen-/), size: 20 },
    ]);
  });

  test("says in the broker's words what is wrong", async ({ virtualHost }) => {
    const worker = startWorker(
      native.consumer({ queue: "nowhere", prefetch: 1, ack: "each", count: 1 }),
      virtualHost,
    );
    await expect(worker.ready).rejects.toThrow(/consuming: NOT_FOUND - no queue 'nowhere'/);
  });

  test("ends with its parent", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue("orphan");
    for (const program of [
      native.producer({ queue, count: 1, size: 4, persistent: false, window: 0 }),
      native.consumer({ queue, prefetch: 1, ack: "each", count: 1 }),
      native.server({ queue, prefetch: 1, ack: "each" }),
      native.caller({ queue, count: 1, size: 4, inFlight: 1, replies: "direct" }),
    ]) {
      const orphan = spawn(program.file, program.args, {
        env: { ...process.env, AMQP_URL: virtualHost.amqpUrl },
        stdio: "ignore",
      });
      expect(await once(orphan, "exit")).toEqual([0, null]);
    }
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0, consumerCount: 0 });
  });
});

describe("pika", () => {
  if ("missing" in pika) {
    test("is not here, and a line says what to install", () => {
      expect(pika.missing).toMatch(/^[^\n]+ not installed: apt-get install python3-pika/);
    });
    return;
  }

  test("the tutorial's scripts pass on every message", async ({ channel, virtualHost }) => {
    const work = { queue: "task_queue", count: 50, size: 100 };
    const published = await run(pika.producer(work), virtualHost);
    expect(published.count).toBe(50);
    const first = await take(channel, work.queue);
    expect(first.properties.deliveryMode).toBe(2);
    channel.sendToQueue(work.queue, first.content);
    await channel.waitForConfirms();

    const { count, ...tally } = await runUntil(50, pika.consumer(work), virtualHost);
    expect(count).toBe(50);
    expect(addUp([tally as unknown as Tally], 50)).toEqual({ missing: 0, duplicates: 0 });
    await expect.poll(async () => (await channel.checkQueue(work.queue)).messageCount).toBe(0);
  });

  test("the tutorial's worker stops when it is told to", async ({ virtualHost }) => {
    const worker = startWorker(pika.consumer({ queue: "idle", count: 1 }), virtualHost);
    await worker.ready;
    worker.go();
    expect(await worker.done).toMatchObject({ count: 0 });
  });
});

describe("on a machine without them", () => {
  let path: string;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "bench-path-"));
    vi.stubEnv("PATH", path);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(path, { recursive: true });
  });

  const program = (name: string, script: string) =>
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  test("a line says which part is missing, and what to install", async () => {
    const missing = async () => ((await findNative()) as { missing: string }).missing;
    expect(await missing()).toBe(
      "C's pkg-config is not installed: apt-get install librabbitmq-dev pkg-config gcc, or brew install rabbitmq-c pkgconf.",
    );
    program("pkg-config", "exit 1");
    expect(await missing()).toMatch(/^C's librabbitmq is not installed: /);
    program("pkg-config", "echo 0.0.0");
    expect(await missing()).toMatch(/^A C compiler is not installed: /);
    program("cc", "echo 'amqp.c:1: error: no such thing' >&2; exit 1");
    expect(await missing()).toBe("native/amqp.c does not compile: amqp.c:1: error: no such thing");
  });
});
