import { manners, scenarios, test } from "testkit";
import { expect } from "vitest";
import { declareHello, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Parameters<typeof declareHello>[0]) =>
  channel.assertQueue(queue, { durable: false });
manners({
  send: { conflict },
  receive: { conflict, wrong: [["something"]], stays: true },
});

test("messages that were sent while no receiver ran are all received, in order", async ({ run }) => {
  for (const n of [1, 2, 3, 4, 5]) expect(await run("send", `message ${n}`).exit).toMatchObject({ code: 0 });
  const receiver = run("receive");
  await receiver.printed(" [x] Received message 5");
  expect(receiver.lines).toEqual([
    " [*] Waiting for messages in hello. To exit press CTRL+C",
    ...[1, 2, 3, 4, 5].map((n) => ` [x] Received message ${n}`),
  ]);
});

test("the message is what the official receivers expect: plain bytes in a durable quorum queue", async ({
  channel,
  run,
}) => {
  await run("send", "Grüße", "an alle").exit;
  // This is how the official programs declare it. The broker would refuse it if our queue were different.
  await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
  const message = await channel.get("hello", { noAck: true });
  expect(message ? message.content.toString() : "none").toBe("Grüße an alle");
});

test("a hostile body is shown, not obeyed", async ({ channel, run }) => {
  await declareHello(channel);
  channel.sendToQueue(queue, Buffer.from("\x1b[2J\nand\x07"));
  await run("receive").printed(" [x] Received \\x1b[2J\\nand\\x07");
});

test("bare amqplib and the helper understand each other", async ({ run }) => {
  const bare = run("bare-receive");
  await bare.printed(/Waiting/);
  await run("send").exit;
  await bare.printed(" [x] Received Hello World!");
  bare.press("^C");
  expect(await bare.exit).toEqual({ code: 0, signal: null });

  await run("bare-send").exit;
  await run("receive").printed(" [x] Received Hello World!");
});
