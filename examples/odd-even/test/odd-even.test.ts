import type { Channel, GetMessage } from "amqplib";
import { BrokerError } from "shared";
import { test as base, manners, scenarios } from "testkit";
import { describe, expect, vi } from "vitest";
import { Consumer, Producer } from "../src/messaging.ts";
import { declareIntegers, declareQueue, exchange, parityOf, queues } from "../src/topology.ts";

scenarios();

manners({
  producer: {
    wrong: [["fourteen"], ["1.5"], ["--interval", "-5"], ["--interval", "2147483648"]],
    stays: /^integer: /,
    conflict: (channel) => channel.assertExchange(exchange, "topic"),
  },
  consumer: {
    args: ["odd"],
    wrong: [[], ["both"], ["odd", "even"]],
    stays: true,
    conflict: (channel) => channel.assertQueue("odds", { arguments: { "x-queue-type": "classic" } }),
  },
});

/** Objects at the end of a `wire`. `said` is what they have printed to stderr. */
const test = base
  .extend("wire", ({ virtualHost, wireTo }) => wireTo(virtualHost.amqpUrl))
  .extend("said", ({ task: _ }, { onCleanup }) => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onCleanup(() => error.mockRestore());
    return () => error.mock.calls.map(([line]) => line as string);
  })
  .extend("producer", async ({ wire, said: _ }, { onCleanup }) => {
    vi.stubEnv("AMQP_URL", wire.amqpUrl);
    const producer = new Producer(exchange, declareIntegers);
    onCleanup(() => producer.close());
    return producer;
  })
  // Makes a consumer of the odd integers.
  .extend("consume", async ({ wire, said: _ }, { onCleanup }) => {
    vi.stubEnv("AMQP_URL", wire.amqpUrl);
    const consumers: Consumer[] = [];
    onCleanup(async () => {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    });
    return async (accept: ConstructorParameters<typeof Consumer>[2]) => {
      const consumer = new Consumer(queues.odd, (channel) => declareQueue(channel, "odd"), accept);
      consumers.push(consumer);
      await consumer.ready;
      return consumer;
    };
  });

const waiting = (parity: string) => ` [*] Waiting for ${parity} integers. To exit press CTRL+C`;

describe("in an empty virtual host", () => {
  test.beforeEach(async ({ channel }) => {
    for (const queue of Object.values(queues)) await channel.deleteQueue(queue);
    await channel.deleteExchange(exchange);
  });

  describe("the three programs", () => {
    test("evens never reach odds, nor odds evens", async ({ channel, run }) => {
      const producer = run("producer", "--interval", "0");
      await producer.printed(/^integer: /, { times: 200 });
      producer.press("^C");
      expect(await producer.exit).toEqual({ code: 0, signal: null });
      const sent = integersOf(producer);
      expect(Math.min(...sent)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...sent)).toBeLessThanOrEqual(100);

      const messages = { odd: await drain(channel, "odds"), even: await drain(channel, "evens") };
      for (const parity of ["odd", "even"] as const)
        expect(messages[parity].map(number)).toEqual(sent.filter((n) => parityOf(n) === parity));
      for (const { properties, fields } of [...messages.odd, ...messages.even]) {
        expect(properties).toMatchObject({ deliveryMode: 2, contentType: "text/plain" });
        expect(fields.exchange).toBe(exchange);
      }
    });

    test("negative integers are odd or even, too", async ({ channel, run }) => {
      expect(await run("producer", "-3", "0", "-8", "--interval", "0").exit).toMatchObject({ code: 0 });
      expect((await drain(channel, "odds")).map(number)).toEqual([-3]);
      expect((await drain(channel, "evens")).map(number)).toEqual([0, -8]);
    });

    test("run as three machines would, each with a login for its part", async ({
      broker,
      virtualHost: { name: vhost },
      runWith,
      wireTo,
      onTestFinished,
    }) => {
      const user = async (configure: string, write: string, read: string) => {
        const { amqpUrl, delete: remove } = await broker.createUser({ vhost, configure, write, read });
        // Another address for each, so that nothing but AMQP_URL can lead to the broker.
        const wire = await wireTo(amqpUrl);
        onTestFinished(remove);
        return { amqpUrl: wire.amqpUrl };
      };
      const odd = await user("^(integers|odds)$", "^odds$", "^(integers|odds)$");
      const even = await user("^(integers|evens)$", "^evens$", "^(integers|evens)$");
      const source = await user("^(integers|odds|evens)$", "^(integers|odds|evens)$", "^integers$");

      const odds = runWith(odd, "consumer", "odd");
      const evens = runWith(even, "consumer", "even");
      await odds.printed(waiting("odd"));
      await evens.printed(waiting("even"));
      const producer = runWith(source, "producer", "14", "47", "--interval", "0");
      expect(await producer.exit).toEqual({ code: 0, signal: null });
      await odds.printed("odd integer: 47");
      await evens.printed("even integer: 14");
      expect([odds.lines.length, evens.lines.length]).toEqual([2, 2]);
    });

    test("lose nothing when the broker is killed and comes back", {
      // ms; a bound for a machine that starts two brokers while it is busy
      timeout: 120_000,
    }, async ({ privateBroker, runWith }) => {
      const at = { amqpUrl: privateBroker.amqpUrl };
      const odd = runWith(at, "consumer", "odd");
      await runWith(at, "producer", "-2", "--interval", "0").exit;
      await privateBroker.settle();
      const integers = Array.from({ length: 300 }, (_, n) => n);
      const producer = runWith(at, "producer", ...integers.map(String), "--interval", "0");
      await producer.printed("integer: 100");
      await privateBroker.kill();
      for (const each of [producer, odd]) await each.printed(/Connection lost/);
      await privateBroker.start();

      await producer.until(() => producer.ended !== undefined, 45_000);
      expect(producer.ended).toEqual({ code: 0, signal: null });
      expect(integersOf(producer)).toEqual(integers);
      await odd.printed("odd integer: 299");
      // This one was away all the time: the queue kept its part.
      const even = runWith(at, "consumer", "even");
      await even.printed("even integer: 298");
      // What was unconfirmed or unacknowledged when the broker went may come twice.
      expect([...new Set(integersOf(odd))]).toEqual(integers.filter((n) => parityOf(n) === "odd"));
      expect([...new Set(integersOf(even))]).toEqual([-2, ...integers.filter((n) => parityOf(n) === "even")]);
      expect(odd.errors).toEqual([expect.stringMatching(/Connection lost/), " [!] Connected again."]);
    });
  });

  describe("the consumer script", () => {
    test("rejects what is no integer of its kind, for good", async ({ channel, run }) => {
      await declareIntegers(channel);
      const consumer = run("consumer", "odd");
      const bad = ["", "abc", "14", "1.5", "1e1", " 7", "9007199254740993", "\x1b[2J"];
      for (const body of [...bad, "-7"]) channel.publish(exchange, "odd", Buffer.from(body));
      await consumer.printed("odd integer: -7");
      consumer.press("^C");
      expect(await consumer.exit).toEqual({ code: 0, signal: null });
      expect(integersOf(consumer)).toEqual([-7]);
      expect(consumer.errors).toEqual(
        bad.map((body) => ` [!] Rejected what is not an odd integer: ${body.replace("\x1b", "\\x1b")}`),
      );
      expect(await drain(channel, "odds")).toEqual([]);
    });

    test("declares and subscribes again when its queue was deleted", async ({
      channel,
      management,
      virtualHost,
      run,
    }) => {
      const consumer = run("consumer", "odd");
      await consumer.printed(waiting("odd"));
      const bindings = () => management("GET", `/exchanges/${virtualHost.name}/${exchange}/bindings/source`);
      await channel.deleteQueue("odds");
      await consumer.printed(/cancelled the consumer of odds/);
      await expect.poll(bindings).toMatchObject([{ destination: "odds", routing_key: "odd" }]);
      channel.publish(exchange, "odd", Buffer.from("7"));
      await consumer.printed("odd integer: 7");
    });
  });

  describe("the producer script", () => {
    test("waits for its interval, and for no interval when it is told to stop", async ({ run }) => {
      const producer = run("producer", "1", "2", "--interval", "2147483647");
      await producer.printed("integer: 1");
      // Meanwhile another comes and goes.
      await run("producer", "3").exit;
      producer.press("^C");
      expect(await producer.exit).toEqual({ code: 0, signal: null });
      expect(producer.lines).toEqual(["integer: 1"]);
    });

    test("says that the broker refuses a message, and prints none that it has not confirmed", async ({
      channel,
      management,
      virtualHost,
      run,
      onTestFinished,
    }) => {
      await declareIntegers(channel);
      const policy = `/policies/${virtualHost.name}/short`;
      const definition = { "max-length": 3, overflow: "reject-publish" };
      onTestFinished(() => management<void>("DELETE", policy));
      await management("PUT", policy, { pattern: "^odds$", "apply-to": "queues", definition });
      const integers = Array.from({ length: 200 }, () => "1");
      const producer = run("producer", ...integers, "--interval", "0");
      expect(await producer.exit).toEqual({ code: 1, signal: null });
      expect(producer.errors).toEqual(["RabbitMQ refused a message (nack). Is its queue full?"]);
      expect(integersOf(producer)).toHaveLength((await drain(channel, "odds")).length);
    });
  });

  describe("a Producer", () => {
    test("publishes again what was unconfirmed when it lost its connection", async ({
      wire,
      channel,
      producer,
      said,
    }) => {
      await producer.publish("1", "odd");
      wire.hold("to-client");
      const published = ["3", "5", "7"].map((body) => producer.publish(body, "odd"));
      await expect.poll(() => count(channel, "odds")).toBe(4);
      wire.cut();
      wire.release();
      await Promise.all(published);
      expect((await drain(channel, "odds")).map(number)).toEqual([1, 3, 5, 7, 3, 5, 7]);
      expect(said()).toEqual([expect.stringMatching(/Connection lost/), " [!] Connected again."]);
    });

    test("keeps what is published while the broker is away", async ({ wire, channel, producer, said }) => {
      await producer.publish("6", "even");
      await wire.unplug();
      await expect.poll(said).toEqual([expect.stringMatching(/Connection lost/)]);
      const published = ["1", "3"].map((body) => producer.publish(body, "odd"));
      await wire.plugIn();
      await Promise.all(published);
      expect((await drain(channel, "odds")).map(number)).toEqual([1, 3]);
    });

    test("declares again what somebody deleted", async ({ channel, producer }) => {
      await producer.publish("5", "even");
      await channel.deleteExchange(exchange);
      await expect(producer.publish("1", "odd")).rejects.toThrow(/no exchange 'integers'/);
      await producer.publish("3", "odd");
      expect((await drain(channel, "odds")).map(number)).toEqual([3]);
    });

    test("closes when the confirms are there that were on their way", async ({ wire, channel, producer }) => {
      await producer.publish("7", "even");
      wire.hold("to-client");
      const published = producer.publish("1", "odd");
      await expect.poll(() => count(channel, "odds")).toBe(1);
      const closed = producer.close();
      wire.release();
      await published;
      await closed;
      await expect(producer.publish("3", "odd")).rejects.toThrow(BrokerError);
      expect(await count(channel, "odds")).toBe(1);
    });

    test("says so when it closes without a confirm", async ({ wire, producer, said }) => {
      await producer.publish("1", "odd");
      await wire.unplug();
      await expect.poll(said).toHaveLength(1);
      const published = expect(producer.publish("3", "odd")).rejects.toThrow(BrokerError);
      await producer.close();
      await published;
    });
  });

  describe("a Consumer", () => {
    test("waits for the handlers in hand when it closes, and takes no more", async ({ channel, consume }) => {
      const inHand: (() => void)[] = [];
      const consumer = await consume(
        () => new Promise<boolean>((resolve) => inHand.push(() => resolve(true))),
      );
      for (let sent = 0; sent < 13; sent++) channel.publish(exchange, "odd", Buffer.from("1"));
      // As many as it may have unacknowledged.
      await expect.poll(() => inHand.length).toBe(10);
      await expect.poll(() => count(channel, "odds")).toBe(3);

      const closed = consumer.close();
      const first = await Promise.race([closed.then(() => "closed"), channel.checkQueue("odds")]);
      expect(first).not.toBe("closed");
      for (const finish of inHand) finish();
      await closed;
      expect(inHand).toHaveLength(10);
      expect(await count(channel, "odds")).toBe(3);
    });

    test("declares and subscribes again on a new connection", async ({ wire, channel, consume, said }) => {
      const received: number[] = [];
      await consume((body) => received.push(Number(body)) > 0);
      await wire.unplug();
      await expect.poll(said).toHaveLength(1);
      await channel.deleteQueue("odds");
      await channel.deleteExchange(exchange);
      await declareIntegers(channel);
      channel.publish(exchange, "odd", Buffer.from("1"));
      await wire.plugIn();
      await expect.poll(() => received).toEqual([1]);
    });

    test("gets a message again whose handler has failed, but not one that it has turned down", async ({
      channel,
      consume,
      said,
    }) => {
      const received: number[] = [];
      const consumer = await consume((body) => {
        received.push(Number(body));
        if (received.length === 2) throw new Error("on purpose");
        return received.length > 1;
      });
      for (const body of ["1", "3"]) channel.publish(exchange, "odd", Buffer.from(body));
      await expect.poll(() => received).toEqual([1, 3, 3]);
      await consumer.close();
      expect(await count(channel, "odds")).toBe(0);
      expect(said()).toEqual([expect.stringMatching(/^ \[!\] A handler failed: Error: on purpose/)]);
    });
  });
});

/** Takes all that a queue holds. */
async function drain(channel: Channel, queue: string): Promise<GetMessage[]> {
  const messages: GetMessage[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (!message) return messages;
    messages.push(message);
  }
}

const count = async (channel: Channel, queue: string) => (await channel.checkQueue(queue)).messageCount;

const number = ({ content }: GetMessage) => Number(content);

/** The integers that a script has printed. */
const integersOf = ({ lines }: { lines: string[] }) =>
  lines.flatMap((line) => /^(?:odd |even )?integer: (-?\d+)$/.exec(line)?.[1] ?? []).map(Number);
