import amqp, { type Channel, type ConfirmChannel, type Options } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { readOffset } from "../src/offset.ts";
import { declareEvents, stream } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(stream, { arguments: { "x-queue-type": "classic" } });
manners({
  pub: {
    wrong: [
      ["--count", "0"],
      ["--count", "many"],
    ],
    conflict,
  },
  sub: { wrong: [["first"], ["--from", "yesterday"]], stays: true, conflict },
});

const READY = " [*] Waiting for events. To exit press CTRL+C";

describe("with an empty stream", () => {
  test.beforeEach(async ({ channel }) => {
    await channel.deleteQueue(stream);
    await declareEvents(channel);
  });

  test("each reader begins where it likes, and gets all from there on", async ({ channel, run }) => {
    for (const event of ["a", "b", "c"]) await publish(channel, event);
    const readers: [args: string[], lines: string[]][] = [
      [
        ["--from", "first"],
        ["0: a", "1: b", "2: c", "3: d", "4: e"],
      ],
      [
        ["--from", "1"],
        ["1: b", "2: c", "3: d", "4: e"],
      ],
      // Each event was confirmed before the next was sent, so the last chunk is one event.
      [
        ["--from", "last"],
        ["2: c", "3: d", "4: e"],
      ],
      [
        ["--from", "next"],
        ["3: d", "4: e"],
      ],
      [[], ["3: d", "4: e"]],
      // That isn't there yet.
      [["--from", "4"], ["4: e"]],
    ];
    const terminals = await Promise.all(readers.map(([args]) => subscribe(run, ...args)));
    for (const event of ["d", "e"]) await publish(channel, event);
    for (const terminal of terminals) {
      await terminal.printed(" [x] 4: e");
      terminal.press("^C");
      expect(await terminal.exit).toEqual({ code: 0, signal: null });
    }
    expect(terminals.map(({ lines }) => lines)).toEqual(
      readers.map(([, lines]) => [READY, ...lines.map((line) => ` [x] ${line}`)]),
    );
  });

  test("a reader can begin at a time, written in either way", async ({ channel, run }) => {
    await publish(channel, "before");
    const seconds = () => Math.floor(Date.now() / 1000);
    const second = seconds() + 1;
    await expect.poll(seconds, { interval: 20 }).toBeGreaterThanOrEqual(second);
    await publish(channel, "after");
    for (const from of [`@${second}`, new Date(second * 1000).toISOString()]) {
      const terminal = await subscribe(run, "--from", from);
      await terminal.printed(/after/);
      expect(terminal.lines).toEqual([READY, " [x] 1: after"]);
    }
    const historian = await subscribe(run, "--from", "2000-01-01");
    await historian.printed(/after/);
    expect(historian.lines).toEqual([READY, " [x] 0: before", " [x] 1: after"]);
  });

  for (const from of ["first", "1", "next"])
    test(`a reader from ${from} whose connection is cut goes on where it was`, async ({
      broker,
      channel,
      virtualHost,
      run,
    }) => {
      for (const event of ["0", "1"]) await publish(channel, event);
      const terminal = await subscribe(run, "--from", from);
      await publish(channel, "2");
      await terminal.printed(" [x] 2: 2");
      const reconnected = terminal.printed(READY, { times: 2 });
      await broker.closeConnections(virtualHost.name, /^streams sub$/);
      for (const event of ["3", "4"]) await publish(channel, event);
      await reconnected;
      await publish(channel, "5");
      await terminal.printed(" [x] 5: 5");
      const begin = { first: 0, "1": 1, next: 2 }[from] ?? Number.NaN;
      const expected = ["0: 0", "1: 1", "2: 2", "3: 3", "4: 4", "5: 5"].slice(begin);
      expect(terminal.lines.filter((line) => line.startsWith(" [x]"))).toEqual(
        expected.map((line) => ` [x] ${line}`),
      );
    });

  test("the stream is durable, and doesn't grow for ever", async ({ management, virtualHost }) => {
    expect(await management("GET", `/queues/${virtualHost.name}/${stream}`)).toMatchObject({
      type: "stream",
      durable: true,
      arguments: { "x-max-age": "7D", "x-max-length-bytes": 1e9, "x-stream-max-segment-size-bytes": 5e7 },
    });
  });

  test("pub publishes as many as it is told, in their order", async ({ run }) => {
    const publisher = run("pub", "--count", "1000", "Tick", "tack");
    expect(await publisher.exit).toEqual({ code: 0, signal: null });
    expect(publisher.lines).toEqual([" [x] Published 1000 events"]);
    // Ten times what a reader takes without acknowledging.
    const reader = await subscribe(run, "--from", "first");
    await reader.printed(" [x] 999: Tick tack 1000");
    expect(reader.lines.slice(1)).toEqual(
      Array.from({ length: 1000 }, (_, index) => ` [x] ${index}: Tick tack ${index + 1}`),
    );
  });

  test("a reader shows whatever comes, and obeys none of it", async ({ channel, run }) => {
    const long = "x".repeat(2 ** 20);
    const bodies = [Buffer.from("\x1b[2J\nand\x07"), Buffer.from([0x66, 0xff]), Buffer.from(long)];
    // Nor does it believe a publisher's offset: the broker writes its own.
    for (const body of bodies) await publish(channel, body, { headers: { "x-stream-offset": 99 } });
    await publish(channel, "text", { headers: { "x-stream-offset": "\x1b[2J" } });
    const reader = await subscribe(run, "--from", "first");
    await reader.printed(" [x] 3: text");
    expect(reader.lines.slice(1)).toEqual(
      ["\\x1b[2J\\nand\\x07", "f\ufffd", long, "text"].map((body, index) => ` [x] ${index}: ${body}`),
    );
  });

  test("a message's own TTL is ignored", async ({ channel }) => {
    await publish(channel, "fleeting", { expiration: "0" });
    await publish(channel, "the end");
    expect((await read(channel, stream, "the end")).bodies).toEqual(["fleeting", "the end"]);
  });
});

describe("retention", () => {
  test("takes whole segments from the beginning, and reading from there begins with what is left", async ({
    channel,
  }) => {
    const name = await declare(channel, {
      "x-max-length-bytes": 1_000,
      "x-stream-max-segment-size-bytes": 1_000,
    });
    for (let number = 0; number < 100; number++) await publish(channel, filling(number), {}, name);
    const { bodies, offsets } = await read(channel, name, filling(99), 0);
    expect(offsets[0]).toBeGreaterThan(0);
    // Nothing is missing but the beginning, and less than a tenth is left.
    expect(bodies).toEqual(
      Array.from({ length: bodies.length }, (_, index) => filling(100 - bodies.length + index)),
    );
    expect(bodies.length).toBeLessThan(10);
    // Notes of RabbitMQ's own have offsets, too.
    expect(offsets.at(-1)).toBeGreaterThan(99);
  });

  test("leaves the segment that is being written, whatever the limit", async ({ channel }) => {
    const name = await declare(channel, { "x-max-length-bytes": 1 });
    for (let number = 0; number < 10; number++) await publish(channel, filling(number), {}, name);
    expect((await read(channel, name, filling(9), 0)).bodies).toHaveLength(10);
  });
});

describe("a stream refuses", () => {
  const type = { "x-queue-type": "stream" };
  for (const [what, code, attempt] of [
    ["x-max-length", 406, (channel) => declare(channel, { "x-max-length": 1 })],
    ["x-message-ttl", 406, (channel) => declare(channel, { "x-message-ttl": 1000 })],
    ["x-expires", 406, (channel) => declare(channel, { "x-expires": 1000 })],
    ["a dead letter exchange", 406, (channel) => declare(channel, { "x-dead-letter-exchange": "" })],
    ["to be exclusive", 406, (channel) => channel.assertQueue("x", { exclusive: true, arguments: type })],
    ["to be transient", 406, (channel) => channel.assertQueue("x", { durable: false, arguments: type })],
    ["to be auto-delete", 406, (channel) => channel.assertQueue("x", { autoDelete: true, arguments: type })],
    ["a consumer without a prefetch", 406, (channel, name) => channel.consume(name, () => {})],
    [
      "a consumer without acknowledgements",
      540,
      async (channel, name) => {
        await channel.prefetch(1);
        await channel.consume(name, () => {}, { noAck: true });
      },
    ],
    ["get", 540, (channel, name) => channel.get(name)],
    ["to be purged", 540, (channel, name) => channel.purgeQueue(name)],
  ] as [string, number, (channel: ConfirmChannel, name: string) => Promise<unknown>][])
    test(`${what} (${code})`, async ({ channel, virtualHost }) => {
      const name = await declare(channel);
      expect(await refusal(virtualHost.amqpUrl, (channel) => attempt(channel, name))).toBe(code);
    });

  for (const how of ["nack", "reject"] as const)
    test(`${how}: RabbitMQ 3 by closing the connection, RabbitMQ 4 by going on`, async ({
      broker,
      channel,
      virtualHost,
    }) => {
      const name = await declare(channel);
      for (const event of ["a", "b", "c"]) await publish(channel, event, {}, name);
      const got: string[] = [];
      const code = await refusal(virtualHost.amqpUrl, async (channel) => {
        await channel.prefetch(1);
        const done = new Promise<void>((resolve) => {
          const handler = (event: amqp.ConsumeMessage | null) => {
            if (!event) return;
            if (got.push(event.content.toString()) === 3) resolve();
            channel[how](event);
          };
          void channel.consume(name, handler, { arguments: { "x-stream-offset": "first" } });
        });
        await done;
      });
      const isThree = broker.version.startsWith("3.");
      expect({ code, got }).toEqual(
        isThree ? { code: 540, got: ["a"] } : { code: undefined, got: ["a", "b", "c"] },
      );
    });
});

describe("--from", () => {
  const at = (value: number) => ({ "!": "timestamp", value });
  for (const [word, expected] of [
    ["first", "first"],
    ["0", 0],
    ["1767225600", 1767225600],
    ["@1767225600", at(1767225600)],
    ["2026-01-01", at(1767225600)],
    ["2026-01-01T00:00Z", at(1767225600)],
    ["2026-01-01T01:00:00.999+01:00", at(1767225600)],
    ["2026-01-01T00:00:00", at(new Date(2026, 0, 1).getTime() / 1000)],
    ["2026-02-30T25:00Z", undefined],
    ["1969-12-31", undefined],
    ["", undefined],
    ["@", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["9007199254740993", undefined],
    ["Jan 1 2026", undefined],
    ["First", undefined],
  ] as const)
    test(`${word || "(nothing)"} is ${JSON.stringify(expected) ?? "refused"}`, () => {
      expect(readOffset(word)).toEqual(expected);
    });
});

async function subscribe(run: Run, ...args: string[]) {
  const terminal = run("sub", ...args);
  await terminal.printed(READY);
  return terminal;
}

/** Publishes an event and waits for its confirm, so that the next one is in another chunk. */
async function publish(
  channel: ConfirmChannel,
  body: string | Buffer,
  options: Options.Publish = {},
  to: string = stream,
) {
  channel.sendToQueue(to, Buffer.from(body as string), options);
  await channel.waitForConfirms();
}

let streams = 0;

/** Declares a stream of the test's own. */
async function declare(channel: Channel, more: Record<string, unknown> = {}): Promise<string> {
  const { queue } = await channel.assertQueue(`stream_${++streams}`, {
    durable: true,
    arguments: { "x-queue-type": "stream", ...more },
  });
  return queue;
}

const filling = (number: number) => `${number} `.padEnd(200, "x");

/** Reads a stream until an event comes that says so. */
async function read(channel: Channel, name: string, end: string, from: unknown = "first") {
  const bodies: string[] = [];
  const offsets: number[] = [];
  await channel.prefetch(100);
  await new Promise<void>((resolve) => {
    const handler = (event: amqp.ConsumeMessage | null) => {
      if (!event) return;
      bodies.push(event.content.toString());
      offsets.push(event.properties.headers?.["x-stream-offset"]);
      channel.ack(event);
      if (bodies.at(-1) === end) resolve();
    };
    void channel.consume(name, handler, { arguments: { "x-stream-offset": from } });
  });
  return { bodies, offsets };
}

/**
 * Tries what the broker may refuse, on a connection of its own: it may close that.
 *
 * @returns The reply code of the refusal, or `undefined` when there was none.
 */
async function refusal(
  amqpUrl: string,
  attempt: (channel: ConfirmChannel) => Promise<unknown>,
): Promise<number | undefined> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const refused = new Promise<number>((resolve) => {
    for (const emitter of [connection, channel])
      emitter.on("error", (error: Error & { code: number }) => resolve(error.code));
  });
  const done = attempt(channel).then(
    () => undefined,
    () => refused,
  );
  const code = await Promise.race([refused, done]);
  await connection.close().catch(() => {});
  return code;
}
