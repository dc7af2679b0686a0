import type { ConfirmChannel } from "amqplib";
import { test as base } from "testkit";
import { expect, vi } from "vitest";
import { look, openConsumer, replay } from "../src/script/index.ts";

/** A dead letter queue, and the queue that its letters came from. */
const [dead, home] = ["dead", "home"];

const test = base.extend("printed", { auto: true }, async ({ channel }, { onCleanup }) => {
  for (const name of [dead, home]) await channel.deleteQueue(name);
  await channel.assertQueue(home, { durable: true, arguments: { "x-queue-type": "quorum" } });
  const back = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": home };
  await channel.assertQueue(dead, { durable: true, arguments: { "x-queue-type": "quorum", ...back } });
  const lines: string[] = [];
  const spies = (["log", "error"] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(line)),
  );
  onCleanup(() => {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  });
  return lines;
});

test("look shows a hundred messages, says how many more there are, and takes none", async ({
  channel,
  printed,
  virtualHost,
}) => {
  await fill(channel, 103);
  const consumer = openConsumer((channel) => look(channel, dead, () => "a story"), {
    url: virtualHost.amqpUrl,
  });
  await consumer.ready;
  await expect.poll(() => printed.length).toBe(101);
  expect(printed.slice(0, 2)).toEqual([" [x] 0: a story", " [x] 1: a story"]);
  expect(printed.at(-1)).toBe(" [!] Shows 100 messages at most. In dead are 3 more.");
  await consumer.stop();
  await consumer.close();
  // The broker puts them back a moment after the connection has closed.
  await expect.poll(() => channel.checkQueue(dead)).toMatchObject({ messageCount: 103 });
});

test("replay moves each message once, in order, and keeps the others", async ({ channel, printed }) => {
  await fill(channel, 2);
  channel.sendToQueue(dead, Buffer.from("stranger"), { headers: died("elsewhere") });
  channel.sendToQueue(dead, Buffer.from("forged"), {
    headers: { "x-death": [...died(home)["x-death"], null] },
  });
  await channel.waitForConfirms();
  await replay(channel, dead, home);
  expect(printed).toEqual([
    " [x] Sent back 0",
    " [x] Sent back 1",
    " [!] Kept stranger: it did not die in home",
    " [!] Kept forged: its x-death is malformed",
    " [x] 2 of 4 sent back",
  ]);
  await expect.poll(() => channel.checkQueue(home)).toMatchObject({ messageCount: 2 });
});

test("replay leaves alone what another program holds", async ({ channel, printed }) => {
  await channel.consume(dead, () => {});
  await replay(channel, dead, home);
  expect(printed).toEqual([
    " [!] Another program is looking at dead and holds what is in it. Close it first.",
  ]);
  expect(process.exitCode).toBe(1);
});

async function fill(channel: ConfirmChannel, count: number) {
  for (let number = 0; number < count; number++)
    channel.sendToQueue(dead, Buffer.from(`${number}`), { headers: died(home) });
  await channel.waitForConfirms();
}

function died(queue: string) {
  const time = { "!": "timestamp", value: 1 };
  return {
    "x-death": [{ count: 1, reason: "rejected", queue, time, exchange: "", "routing-keys": [queue] }],
  };
}
