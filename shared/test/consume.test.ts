import { openProgram, readersEnvironment, type Terminal } from "stage";
import { expect, vi } from "vitest";
import { test } from "./own-host.ts";
import { cancelled, send, sendTo, waiting } from "./queues.ts";

const worker = "test:worker";

const finishing = " [!] Finishing what is in hand. To drop it press CTRL+C again";

// The tests share a virtual host, and some leave a message behind.
test.beforeEach(async ({ channel }) => {
  await channel.deleteQueue("work");
});

test("hands over what waits in the queue, in order, and acknowledges it", async ({ channel, run }) => {
  await send(channel, "one", "two");
  const consumer = run(worker);
  await consumer.printed("done two");
  // Not even when they share a packet with the broker's consent do deliveries come before setup is done.
  expect(consumer.lines).toEqual(["ready", "got one", "done one", "got two", "done two"]);
  consumer.press("^C");
  expect(await consumer.exit).toEqual({ code: 0, signal: null });
  expect(await waiting(channel)).toBe(0);
});

test("ends on Ctrl-C although the broker has been stopped, and says that it doesn't answer", async ({
  privateBroker,
  runWith,
  skip,
}) => {
  skip(!privateBroker.description.includes("on this machine"), "In a container it is no process of ours.");
  // A node tells this some seconds after its start.
  const pid = await vi.waitFor(
    async () => {
      const [node] = await privateBroker.management<{ os_pid?: string }[]>("GET", "/nodes");
      return Number(node?.os_pid) || Promise.reject(new Error("The node does not tell its process yet."));
    },
    { timeout: 30_000 },
  );
  const consumer = runWith({ amqpUrl: privateBroker.amqpUrl }, worker);
  await consumer.printed("ready");
  process.kill(pid, "SIGSTOP");
  try {
    consumer.press("^C");
    await consumer.printed(
      " [!] RabbitMQ doesn't answer. It delivers again what it has not seen acknowledged.",
    );
    expect(await consumer.exit).toEqual({ code: 0, signal: null });
  } finally {
    process.kill(pid, "SIGCONT");
  }
});

test("reconnects to a broker that was killed and came back, and goes on where it was", async ({
  privateBroker,
  runWith,
}) => {
  const consumer = runWith({ amqpUrl: privateBroker.amqpUrl }, worker);
  await consumer.printed("ready");
  await sendTo(privateBroker.amqpUrl, "acked", "wait for Enter");
  await consumer.printed("got wait for Enter");
  // The ack has arrived. It would be no fault of the consumer's if the power went before.
  await expect
    .poll(() => privateBroker.management("GET", "/queues/%2F/work"), { timeout: 30_000 })
    .toMatchObject({ messages: 1 });

  await privateBroker.kill();
  await consumer.printed(/Connection lost/);
  // What it is working on can't be acknowledged any more. That is no error: the broker delivers it again.
  consumer.type("");
  await privateBroker.start();
  await consumer.printed("again wait for Enter");
  consumer.type("");
  await consumer.printed("done wait for Enter");
  await sendTo(privateBroker.amqpUrl, "after");
  await consumer.printed("done after");

  expect(consumer.lines.filter((line) => !line.includes("[!]"))).toEqual([
    "ready",
    "got acked",
    "done acked",
    "got wait for Enter",
    "ready",
    "again wait for Enter",
    "done wait for Enter",
    "got after",
    "done after",
  ]);
  expect(consumer.errors).toEqual([
    expect.stringMatching(/^ \[!] Connection lost \(.+\)\. Reconnecting \.\.\.$/),
    " [!] Connected again.",
  ]);
});

test("declares and subscribes again when its connection was cut", async ({ broker, ownHost, runWith }) => {
  const consumer = runWith({ amqpUrl: ownHost.amqpUrl }, worker);
  await consumer.printed("ready");
  await broker.closeConnections(ownHost.name);
  await consumer.printed("ready", { times: 2 });
  await sendTo(ownHost.amqpUrl, "after");
  await consumer.printed("done after");
});

test("declares and subscribes again when somebody deleted the queue", async ({ channel, run }) => {
  const consumer = run(worker);
  await consumer.printed("ready");
  await channel.deleteQueue("work");
  await consumer.printed("ready", { times: 2 });
  await send(channel, "after");
  await consumer.printed("done after");
  expect(consumer.errors[0]).toBe(" [!] The broker cancelled the consumer of work. Subscribing again ...");
});

test("goes on after the broker has closed the channel", async ({ channel, run }) => {
  const consumer = run(worker);
  await send(channel, "ack twice");
  await consumer.printed("ready", { times: 2 });
  await send(channel, "after");
  await consumer.printed("done after");
  expect(consumer.errors[0]).toMatch(/^ \[!] .*unknown delivery tag/);
});

test("gives a message back when its handler fails, and lives on", async ({ channel, run }) => {
  const consumer = run(worker);
  await send(channel, "fail");
  await consumer.printed("done fail");
  expect(consumer.lines).toEqual(expect.arrayContaining(["got fail", "again fail"]));
  expect(consumer.errors[0]).toBe(" [!] A handler failed: Error: on purpose");
});

test("survives a handler that throws at once", async ({ channel, run }) => {
  const consumer = run(worker);
  await consumer.printed("ready");
  channel.sendToQueue("forgotten", Buffer.from("x"));
  await consumer.printed(" [!] A handler failed: Error: at once");
  await send(channel, "after");
  await consumer.printed("done after");
});

for (const [signal, end] of [
  ["SIGINT", (consumer) => consumer.press("^C")],
  ["SIGTERM", (consumer) => consumer.terminate()],
] as [string, (consumer: Terminal) => void][])
  test(`on ${signal} lets the handler in hand finish, and its ack arrives`, async ({ channel, run }) => {
    const consumer = run(worker);
    await send(channel, "wait for Enter");
    await consumer.printed("got wait for Enter");
    end(consumer);
    await cancelled(channel);
    await send(channel, "for somebody else");
    consumer.type("");
    expect(await consumer.exit).toEqual({ code: 0, signal: null });
    expect(consumer.lines.slice(-3)).toEqual([finishing, "done wait for Enter", "closed"]);
    await expect.poll(() => waiting(channel)).toBe(1);
  });

test("doesn't wait when the signal comes twice, and the message goes to somebody else", async ({
  channel,
  run,
}) => {
  const first = run(worker);
  await send(channel, "wait for Enter");
  await first.printed("got wait for Enter");
  first.press("^C");
  await first.printed(finishing);
  first.press("^C");
  expect(await first.exit).toEqual({ code: 130, signal: null });

  const second = run(worker);
  await second.printed("again wait for Enter");
});

test("ends with exit code 0 while the broker is away", async ({ privateBroker, runWith }) => {
  const consumer = runWith({ amqpUrl: privateBroker.amqpUrl }, worker);
  await consumer.printed("ready");
  await privateBroker.kill();
  await consumer.printed(/Reconnecting/);
  consumer.press("^C");
  expect(await consumer.exit).toEqual({ code: 0, signal: null });
  expect(consumer.errors).toHaveLength(1);
});

test.for(["", "?heartbeat=2"])(
  "ends before a container runtime would kill it when the broker has gone silent%s",
  async (query, { channel, virtualHost, runWith, wireTo }) => {
    const wire = await wireTo(virtualHost.amqpUrl);
    const consumer = runWith({ amqpUrl: `${wire.amqpUrl}${query}` }, worker);
    await send(channel, "wait for Enter");
    await consumer.printed("got wait for Enter");
    wire.freeze();
    consumer.terminate();
    // ms; as long as Docker waits.
    await consumer.until(() => consumer.ended !== undefined, 10_000);
    expect(consumer.ended).toEqual({ code: 0, signal: null });
    const [first, ...others] = consumer.errors;
    expect(first).toBe(finishing);
    // The heartbeat may be missed before the handler is given up.
    if (query) expect(others).toContainEqual(expect.stringMatching(/Gave up|Connection lost/));
    else
      expect(others).toEqual([
        " [!] Gave up 1 message in hand. The broker delivers them again.",
        " [!] RabbitMQ doesn't answer. It delivers again what it has not seen acknowledged.",
      ]);
  },
);

test("ends as with Ctrl-C when the program that reads its output ends", async ({ channel, virtualHost }) => {
  const [program, ...args] = [process.execPath, "--import", "tsx", "test/programs/worker.ts"];
  const command = `{ "$@"; echo "exit code $?" >&2; } | head -1`;
  const pipeline = openProgram("sh", ["-c", command, "sh", program, ...args], {
    cwd: process.cwd(),
    env: readersEnvironment({ AMQP_URL: virtualHost.amqpUrl }),
  });
  await pipeline.printed("ready");
  await send(channel, "one");
  await pipeline.exit;
  expect(pipeline.lines).toEqual(["ready", "exit code 0"]);
});

test("says a refusal in a line", async ({ broker, virtualHost, runWith }) => {
  const reader = await broker.createUser({ vhost: virtualHost.name, configure: "", write: "", read: ".*" });
  const consumer = runWith({ amqpUrl: reader.amqpUrl }, worker);
  expect(await consumer.exit).toEqual({ code: 1, signal: null });
  expect(consumer.lines).toEqual([
    expect.stringMatching(/^amqp:.* says: .*access to queue 'work' .*refused/),
  ]);
  expect(consumer.lines.join()).not.toContain(reader.password);
  await reader.delete();
});
