import amqp, { type Channel, type ConfirmChannel, type ConsumeMessage, type Options } from "amqplib";
import { manners, scenarios, test } from "testkit";
import { describe, expect, vi } from "vitest";
import { CallError, openCall } from "../src/call.ts";
import { fibonacci, largest } from "../src/fibonacci.ts";
import { declareRequests, queue } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) =>
  channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "classic" } });

manners({
  server: { wrong: [["30"]], stays: true, conflict },
  client: { wrong: [["abc"], ["-1"], ["1.5"], [""], ["1", "2"]] },
});

const ready = " [x] Awaiting RPC requests";
/** ms; a bound for answers that come at once. */
const deadline = 30_000;

test("Fibonacci numbers are exact", () => {
  expect([0, 1, 2, 3, 10, 79].map(fibonacci)).toEqual([0n, 1n, 1n, 2n, 55n, 14472334024676221n]);
  expect(fibonacci(300)).toBe(222232244629420445529739893461909967206666939096499764990979600n);
});

describe("without a queue of requests, the client", () => {
  test.beforeEach(async ({ channel }) => {
    await channel.deleteQueue(queue);
  });

  test("says at once that there is none, and doesn't declare it", async ({ channel, run }) => {
    for (const client of [run("client"), run("client", "300")]) {
      expect(await client.exit).toEqual({ code: 1, signal: null });
      expect(client.errors).toEqual([" [!] There is no queue rpc_queue. Start a server first."]);
    }
    // It would be refused if there were one.
    await channel.assertQueue(queue, { durable: false });
  });

  test("says that its user may not send requests", async ({
    broker,
    virtualHost,
    runWith,
    onTestFinished,
  }) => {
    const user = await broker.createUser({ vhost: virtualHost.name, configure: "", write: "", read: ".*" });
    onTestFinished(() => user.delete());
    const client = runWith({ amqpUrl: user.amqpUrl }, "client");
    expect(await client.exit).toEqual({ code: 1, signal: null });
    expect(client.errors).toEqual([expect.stringMatching(/ says: .*refused/)]);
  });

  test("asks a server that has declared it otherwise, as most official ports do", async ({
    channel,
    run,
  }) => {
    await channel.assertQueue(queue, { durable: false });
    await serve(channel, (request) => reply(channel, request, "832040"));
    const client = run("client");
    expect(await client.exit).toEqual({ code: 0, signal: null });
    expect(client.lines).toEqual([" [x] Requesting fib(30)", " [.] Got 832040"]);
  });
});

describe("with a queue of requests", () => {
  test.beforeEach(async ({ channel }) => {
    await channel.deleteQueue(queue);
    await declareRequests(channel);
  });

  test("a hundred requests in flight at once each get their own answer", async ({ channel, run }) => {
    await Promise.all([run("server").printed(ready), run("server").printed(ready)]);
    const call = await openCall(channel, queue, { deadline });
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const answers = await Promise.all(numbers.map((n) => call(String(n))));
    expect(answers).toEqual(numbers.map((n) => String(fibonacci(n))));
  });

  test("they do even when they are answered in reverse", async ({ channel }) => {
    const requests: ConsumeMessage[] = [];
    await serve(channel, (request) => {
      if (requests.push(request) < 100) return;
      for (const each of requests.reverse()) reply(channel, each, `answer to ${each.content}`);
    });
    const call = await openCall(channel, queue, { deadline });
    const numbers = Array.from({ length: 100 }, (_, n) => String(n));
    expect(await Promise.all(numbers.map(call))).toEqual(numbers.map((n) => `answer to ${n}`));
  });

  describe("the server", () => {
    test("answers to an exclusive queue, as the official clients have it", async ({ channel, run }) => {
      await run("server").printed(ready);
      const answer = await ask(channel, "30", { correlationId: "0.25" });
      expect(answer.content.toString()).toBe("832040");
      expect(answer.properties).toMatchObject({ correlationId: "0.25", type: "result" });
    });

    test("takes one request at a time, and acknowledges it", async ({ management, virtualHost, run }) => {
      await run("server").printed(ready);
      await expect
        .poll(() => management("GET", `/consumers/${virtualHost.name}`))
        .toMatchObject([{ queue: { name: queue }, prefetch_count: 1, ack_required: true }]);
    });

    test("answers a bad body with an error, and lives on", async ({ channel, run }) => {
      const server = run("server");
      await server.printed(ready);
      const bad = ["", "abc", "-1", "1.5", "1e3", "0x10", " 7", "7\n", `${largest + 1}`, "9".repeat(100_000)];
      for (const body of [...bad, "\x1b]0;owned\x07", Buffer.from([0x37, 0xff])]) {
        const answer = await ask(channel, body);
        expect(answer.content.toString()).toBe("n must be a whole number from 0 to 10000.");
        expect(answer.properties.type).toBe("error");
      }
      expect((await ask(channel, "7")).content.toString()).toBe("13");
      server.press("^C");
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.lines).toEqual([
        ready,
        ...bad.map((body) => ` [!] Refused: ${body.replace("\n", "\\n").slice(0, 50)}`),
        " [!] Refused: \\x1b]0;owned\\x07",
        " [!] Refused: 7\ufffd",
        " [.] fib(7)",
      ]);
      expect(server.errors).toEqual([]);
      expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
    });

    test("outlives clients that have left, and those that say nowhere to answer", async ({
      channel,
      run,
    }) => {
      const server = run("server");
      await server.printed(ready);
      for (const replyTo of ["gone", "amq.rabbitmq.reply-to.gone", undefined, queue])
        channel.sendToQueue(queue, Buffer.from("6"), { ...(replyTo && { replyTo }), correlationId: "1" });
      sendWithIdOfNoText(channel);
      expect((await ask(channel, "7")).content.toString()).toBe("13");
      await server.printed(/^ \[!\] A handler failed: TypeError/);
      await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(0);
    });

    test("answers to the message id when there is no correlation id", async ({ channel, run }) => {
      await run("server").printed(ready);
      const { properties } = await ask(channel, "7", { messageId: "m1" });
      expect(properties).toMatchObject({ correlationId: "m1", contentType: "text/plain" });
    });

    // RabbitMQ 3.10 closes the connection of a server that answers there, RabbitMQ 4.3 doesn't.
    describe("given a forged direct reply-to address", () => {
      const lost = (errors: string[]) => errors.filter((line) => line.startsWith(" [!] Connection lost"));
      const forge = (channel: Channel) =>
        channel.sendToQueue(queue, Buffer.from("6"), { replyTo: "amq.rabbitmq.reply-to.AAAA.AAAA" });

      test("loses one connection at most, and answers the next client", async ({ channel, run }) => {
        const server = run("server");
        await server.printed(ready);
        forge(channel);
        expect(await run("client").printed(/Got/)).toEqual([" [.] Got 832040"]);
        expect(lost(server.errors).length).toBeLessThanOrEqual(1);
        const aside = () =>
          server.errors.filter((line) => line.includes("Set aside a message from rpc_queue"));
        await expect.poll(() => aside().length).toBe(lost(server.errors).length);
        await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(0);
      });

      test("does so with two servers", async ({ channel, run }) => {
        const servers = [run("server"), run("server")];
        for (const server of servers) await server.printed(ready);
        forge(channel);
        expect(await run("client").printed(/Got/)).toEqual([" [.] Got 832040"]);
        for (const server of servers) expect(lost(server.errors).length).toBeLessThanOrEqual(1);
        await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(0);
      });

      test("does so when another process has failed at it", async ({ channel, run }) => {
        const first = run("server");
        await first.printed(ready);
        forge(channel);
        await first.printed(" [.] fib(6)");
        first.kill();
        await first.exit;
        const second = run("server");
        await second.printed(ready);
        expect(await run("client").printed(/Got/)).toEqual([" [.] Got 832040"]);
        expect(lost(second.errors).length).toBeLessThanOrEqual(1);
      });
    });
  });

  describe("the client", () => {
    test("sends both ids, since AMQP 1.0 servers answer to the message id", async ({ channel, run }) => {
      const types: string[] = [];
      await serve(channel, (request) => {
        types.push(request.properties.contentType);
        reply(channel, request, "832040", { correlationId: request.properties.messageId });
      });
      expect(await run("client").printed(/Got/)).toEqual([" [.] Got 832040"]);
      expect(types).toEqual(["text/plain"]);
    });

    test("ignores an answer with an unknown correlation id", async ({ channel, run }) => {
      await serve(channel, (request) => {
        reply(channel, request, "1", { correlationId: "unknown" });
        channel.sendToQueue(request.properties.replyTo, Buffer.from("2"));
        reply(channel, request, "832040");
        reply(channel, request, "3");
      });
      const client = run("client");
      expect(await client.exit).toEqual({ code: 0, signal: null });
      expect(client.lines).toEqual([" [x] Requesting fib(30)", " [.] Got 832040"]);
    });

    test("prints no control characters that a server sends", async ({ channel, run }) => {
      await serve(channel, (request) =>
        reply(channel, request, "\x1b[2J", { type: `${request.content}` === "1" ? "error" : "result" }),
      );
      expect(await run("client", "0").printed(/Got/)).toEqual([" [.] Got \\x1b[2J"]);
      expect(await run("client", "1").printed(/!/)).toEqual([" [!] \\x1b[2J"]);
    });

    test("says after its deadline that there was no answer, and leaves nothing to do", async ({
      channel,
      run,
    }) => {
      const client = run("client");
      expect(await client.exit).toEqual({ code: 1, signal: null });
      expect(client.errors).toEqual([" [!] No answer within 5 s. Is a server running?"]);
      const server = run("server");
      await server.printed(ready);
      expect((await ask(channel, "7")).content.toString()).toBe("13");
      await server.printed(" [.] fib(7)");
      expect(server.lines).toEqual([ready, " [.] fib(7)"]);
    });

    test("says that its connection was lost while it waited", async ({ broker, runWith }) => {
      const host = await broker.createVirtualHost();
      const connection = await amqp.connect(host.amqpUrl);
      await declareRequests(await connection.createChannel());
      await connection.close();
      const client = runWith({ amqpUrl: host.amqpUrl }, "client");
      await client.printed(" [x] Requesting fib(30)");
      await broker.closeConnections(host.name);
      expect(await client.exit).toEqual({ code: 1, signal: null });
      expect(client.errors[0]).toMatch(/^The connection to .* was lost/);
      expect(client.errors.length).toBeLessThanOrEqual(2);
      await host.delete();
    });
  });

  describe("a call", () => {
    test("that is answered with an error rejects with it", async ({ channel }) => {
      await serve(channel, (request) => reply(channel, request, "not today", { type: "error" }));
      const call = await openCall(channel, queue, { deadline });
      await expect(call("1")).rejects.toMatchObject({ name: "CallError", message: "not today" });
    });

    test("that has its answer leaves nothing behind, whatever comes later", async ({
      channel,
      onTestFinished,
    }) => {
      const cleared = vi.spyOn(globalThis, "clearTimeout");
      onTestFinished(() => cleared.mockRestore());
      await serve(channel, (request) => reply(channel, request, "1"));
      const call = await openCall(channel, queue, { deadline: 12_345 });
      const timers = vi.spyOn(globalThis, "setTimeout");
      onTestFinished(() => timers.mockRestore());
      expect(await call("1")).toBe("1");
      await channel.close();
      const index = timers.mock.calls.findIndex(([, ms]) => ms === 12_345);
      const timer = timers.mock.results[index]?.value;
      // Once, by the answer. The channel's end finds no call that waits.
      expect(cleared.mock.calls.filter(([each]) => each === timer)).toHaveLength(1);
    });

    test("that is answered too late has been rejected, and harms no other", async ({ channel }) => {
      const requests: ConsumeMessage[] = [];
      await serve(channel, (request) => {
        requests.push(request);
        if (requests.length === 1) return;
        for (const each of requests) reply(channel, each, `answer to ${each.content}`);
      });
      const call = await openCall(channel, queue, { deadline: 2_000 });
      await expect(call("1")).rejects.toThrow(new CallError("No answer within 2 s. Is a server running?"));
      expect(await call("2")).toBe("answer to 2");
    });

    test("rejects when its channel closes", async ({ channel }) => {
      const call = await openCall(channel, queue, { deadline });
      const calls = [call("1"), call("2")];
      await channel.close();
      for (const each of calls) await expect(each).rejects.toThrow("Channel closed before the answer came");
      await expect(call("3")).rejects.toThrow();
    });
  });
});

/** Sends a request as the official clients do, and waits for its answer in an exclusive queue. */
async function ask(channel: Channel, body: string | Buffer, options: Options.Publish = {}) {
  const { queue: replyTo } = await channel.assertQueue("", { exclusive: true });
  channel.sendToQueue(queue, Buffer.from(body as string), { replyTo, ...options });
  return new Promise<ConsumeMessage>((resolve) => {
    void channel.consume(replyTo, (answer) => answer && resolve(answer), { noAck: true });
  });
}

/** Sends a request with a correlation id of 254 bytes that are not UTF-8, which amqplib would refuse to send. */
function sendWithIdOfNoText(channel: ConfirmChannel) {
  const { stream } = channel.connection as unknown as { stream: { write(chunk: Buffer): boolean } };
  const write = stream.write.bind(stream);
  stream.write = (chunk) =>
    write(Buffer.from(chunk.toString("latin1").replaceAll("\xc3\xa9", "\xff\xff"), "latin1"));
  channel.sendToQueue(queue, Buffer.from("6"), { correlationId: "é".repeat(127), replyTo: "gone" });
}

/** A server that does as it is told. */
const serve = (channel: Channel, handle: (request: ConsumeMessage) => void) =>
  channel.consume(queue, (request) => {
    if (!request) return;
    handle(request);
    channel.ack(request);
  });

function reply(
  channel: Channel,
  { properties }: ConsumeMessage,
  body: string,
  options: Options.Publish = {},
) {
  const { replyTo, correlationId } = properties;
  channel.sendToQueue(replyTo, Buffer.from(body), { correlationId, ...options });
}
