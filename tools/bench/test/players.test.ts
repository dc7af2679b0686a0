// The programs that do the same work: on amqplib, in C, and on a patched amqplib.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel, GetMessage } from "amqplib";
import type { VirtualHost } from "broker";
import { test } from "testkit";
import { describe, expect, onTestFinished, vi } from "vitest";
import { amqplib, findC, findCorked, type Players } from "../src/engine/programs.ts";
import { addUp, numbered, type Tally } from "../src/engine/seen.ts";
import { type Program, startWorker } from "../src/engine/worker.ts";

/** Runs a worker that publishes to its end. */
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

const ours: Players = {
  producer: (options) => amqplib("producer", options),
  consumer: (options) => amqplib("consumer", options),
};
const [c, corked] = await Promise.all([findC(), findCorked()]);

describe.each([
  ["amqplib", ours],
  ["C", c],
  ["corked", corked],
])("%s", (name, players) => {
  if ("missing" in players) {
    test("is not here, and a line names what to install", () => {
      expect(players.missing).toMatch(new RegExp(`^${name}: [^\n]+ not installed: apt-get install `));
    });
    return;
  }

  test("publishes with and without confirms", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue(`${name}-producer`);
    for (const [persistent, window, mode] of [
      [true, 10, 2],
      [false, 0, 1],
    ] as const) {
      const done = await run(
        players.producer({ queue, count: 300, size: 100, persistent, window }),
        virtualHost,
      );
      expect(done.count).toBe(300);
      expect(done.last).toBeGreaterThan(done.first as number);
      const { content, properties } = await take(channel, queue);
      expect(properties.deliveryMode ?? 1).toBe(mode);
      expect(content).toEqual(numbered(0, 100));
      expect((await channel.purgeQueue(queue)).messageCount).toBe(299);
    }
  });

  test("consumes in each way, and notes what is missing and what came twice", async ({
    channel,
    virtualHost,
  }) => {
    const { queue } = await channel.assertQueue(`${name}-consumer`);
    for (const ack of ["each", "grouped", "auto"] as const) {
      // Number 6 is missing, number 5 comes twice.
      for (let n = 0; n < 300; n++) channel.sendToQueue(queue, numbered(n === 6 ? 5 : n, 100));
      await channel.waitForConfirms();
      const { count, first, last, ...tally } = await runUntil(
        300,
        players.consumer({ queue, prefetch: 50, ack, count: 300 }),
        virtualHost,
      );
      expect(count).toBe(300);
      expect(last).toBeGreaterThanOrEqual(first as number);
      expect(addUp([tally as unknown as Tally], 300)).toEqual({ missing: 1, duplicates: 1 });
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0, consumerCount: 0 });
    }
  });

  test("shares a queue with others until it is told to stop", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue(`${name}-shared`);
    const consumer = players.consumer({ queue, prefetch: 1, ack: "each", count: 40 });
    const consumers = [startWorker(consumer, virtualHost), startWorker(consumer, virtualHost)];
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

  test("fails in the broker's words", async ({ virtualHost }) => {
    const consumer = players.consumer({ queue: "nowhere", prefetch: 1, ack: "each", count: 1 });
    await expect(startWorker(consumer, virtualHost).ready).rejects.toThrow(/NOT_FOUND - no queue 'nowhere'/);
  });

  test("ends with its parent", async ({ channel, virtualHost }) => {
    const { queue } = await channel.assertQueue(`${name}-orphan`);
    for (const { file, args } of [
      players.producer({ queue, count: 1, size: 4, persistent: false, window: 0 }),
      players.consumer({ queue, prefetch: 1, ack: "each", count: 1 }),
    ]) {
      const env = { ...process.env, AMQP_URL: virtualHost.amqpUrl };
      const orphan = spawn(file, args, { env, stdio: "ignore" });
      expect(await once(orphan, "exit")).toEqual([0, null]);
    }
    await expect.poll(() => channel.checkQueue(queue)).toMatchObject({ messageCount: 0, consumerCount: 0 });
  });
});

test("amqplib notes each confirm's latency, and leaves out a warm-up", async ({ channel, virtualHost }) => {
  const { queue } = await channel.assertQueue("latencies");
  const work = { queue, count: 100, size: 20, persistent: true, window: 10, warmUp: 50, batches: true };
  const done = await run(amqplib("producer", work), virtualHost);
  expect(done.count).toBe(100);
  expect(done.p50).toBeGreaterThan(0);
  expect(done.p99).toBeGreaterThanOrEqual(done.p50 as number);
  expect(done.max).toBeGreaterThanOrEqual(done.p99 as number);
  expect((await channel.purgeQueue(queue)).messageCount).toBe(150);
});

test("a line names what C needs, or why it does not compile", async () => {
  const path = mkdtempSync(join(tmpdir(), "bench-path-"));
  vi.stubEnv("PATH", path);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(path, { recursive: true });
  });
  const program = (name: string, script: string) =>
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const missing = async () => ((await findC()) as { missing: string }).missing;
  expect(await missing()).toMatch(
    /^C: .* is not installed: apt-get install librabbitmq-dev pkg-config gcc, /,
  );
  program("pkg-config", "echo 0.0.0");
  program("cc", "echo 'amqp.c:1: error: no such thing' >&2; exit 1");
  expect(await missing()).toBe("C: native/amqp.c does not compile: amqp.c:1: error: no such thing");
});
