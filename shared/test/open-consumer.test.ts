import type { Channel } from "amqplib";
import { expect, vi } from "vitest";
import { openWire } from "wire";
import { BrokerError, type ConsumerSetup, handle, openConsumer } from "../src/amqp/index.ts";
import { keptLog } from "./lines.ts";
import { test } from "./own-host.ts";
import { declareWork } from "./programs/queue.ts";
import { send, waiting } from "./queues.ts";
import { socketsTo } from "./sockets.ts";
import { kinds, publishUnreadable } from "./unreadable.ts";

test.beforeEach(async ({ channel }) => {
  await channel.deleteQueue("work");
});

/** Counts what is ready and what is unacknowledged, exactly: both are ready when their consumers have gone. */
const inQueue = (channel: Channel, count: number) =>
  expect.poll(() => waiting(channel), { timeout: 20_000, interval: 20 }).toBe(count);

test("is ready before it hands over the first message", async ({ channel, virtualHost }) => {
  await send(channel, "one");
  await channel.waitForConfirms();
  const events: string[] = [];
  const consumer = openConsumer(
    async (channel) => {
      await channel.consume(
        "work",
        handle((delivery) => {
          events.push(`got ${delivery.content}`);
          channel.ack(delivery);
        }),
      );
    },
    { url: virtualHost.amqpUrl },
  );
  await consumer.ready;
  events.push("ready");
  await expect.poll(() => events).toEqual(["ready", "got one"]);
  await consumer.stop();
  await consumer.close();
});

test("has closed its connection when close() resolves", async ({ channel, virtualHost }) => {
  await declareWork(channel);
  const wire = await openWire(virtualHost.amqpUrl);
  const said: string[] = [];
  wire.on("said", ({ method }) => said.push(method));
  const work = handle(() => {});
  const consumer = openConsumer((channel) => channel.consume("work", work), { url: wire.amqpUrl });
  await consumer.ready;
  await consumer.stop();
  expect(said).toContain("basic.cancel-ok");
  await consumer.close();
  expect(said).toContain("connection.close-ok");
  await wire.close();
});

test("gives each setup its connection, to publish on with confirms", async ({ broker, ownHost }) => {
  const got: string[] = [];
  let number = 0;
  const consumer = openConsumer(
    async (channel, connection) => {
      await declareWork(channel);
      await channel.consume(
        "work",
        handle((delivery) => {
          got.push(delivery.content.toString());
          channel.ack(delivery);
        }),
      );
      const publisher = await connection.createConfirmChannel();
      publisher.sendToQueue("work", Buffer.from(`from connection ${++number}`));
      await publisher.waitForConfirms();
    },
    { url: ownHost.amqpUrl },
  );
  await consumer.ready;
  await expect.poll(() => got).toEqual(["from connection 1"]);
  await broker.closeConnections(ownHost.name);
  await expect.poll(() => got, { timeout: 15_000 }).toEqual(["from connection 1", "from connection 2"]);
  await consumer.stop();
  await consumer.close();
});

test("leaves channel.consume to amqplib, except for what handle() has wrapped", async ({
  channel,
  virtualHost,
}) => {
  await send(channel, "one");
  const got: unknown[] = [];
  const { log, said } = keptLog();
  const consumer = openConsumer(
    async (channel) => {
      await declareWork(channel);
      await channel.consume("work", (delivery) => got.push(delivery && String(delivery.content)), {
        noAck: true,
      });
    },
    { url: virtualHost.amqpUrl, log },
  );
  await expect.poll(() => got).toEqual(["one"]);
  // amqplib's callback hears null when the broker cancels the consumer. The setup runs again nevertheless.
  await channel.deleteQueue("work");
  await said(/cancelled the consumer of work\. Subscribing again/);
  await send(channel, "two");
  await expect.poll(() => got, { timeout: 15_000 }).toEqual(["one", null, "two"]);
  await consumer.stop();
  await consumer.close();
});

test("acknowledges in groups what has been handled, before the first message that has not", async ({
  channel,
  virtualHost,
}) => {
  await send(channel, "one", "two", "slow", "four", "fails", "six");
  await channel.waitForConfirms();
  const wire = await openWire(virtualHost.amqpUrl);
  const answers: unknown[] = [];
  wire.on("said", (said) => {
    if ("method" in said && said.direction === "to-broker" && /^basic\.(ack|reject)$/.test(said.method))
      answers.push({ method: said.method, ...said.fields });
  });
  const got: string[] = [];
  let release = () => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const onDelivery = handle(
    ({ content }) => {
      got.push(String(content));
      if (String(content) === "slow") return slow;
      if (String(content) === "fails") throw new Error("It fails.");
      return content.length % 2 ? undefined : Promise.resolve();
    },
    { acknowledge: "grouped", onFailure: "dead-letter" },
  );
  const consumer = openConsumer((channel) => channel.consume("work", onDelivery), { url: wire.amqpUrl });
  const upTo = (deliveryTag: number) => ({ method: "basic.ack", deliveryTag, multiple: true });
  await expect.poll(() => got).toEqual(["one", "two", "slow", "four", "fails", "six"]);
  await expect.poll(() => answers).toContainEqual(upTo(2));
  await expect.poll(() => answers).toContainEqual({ method: "basic.reject", deliveryTag: 5, requeue: false });
  expect(answers).not.toContainEqual(expect.objectContaining({ method: "basic.ack", deliveryTag: 6 }));
  answers.length = 0;
  release();
  await expect.poll(() => answers).toEqual([upTo(6)]);

  // What is handled when it stops is acknowledged, too.
  await send(channel, "last");
  await expect.poll(() => got).toContain("last");
  await consumer.stop();
  await consumer.close();
  await wire.close();
  await inQueue(channel, 0);
});

test("takes one consumer on a channel whose messages are acknowledged in groups", async ({ ownHost }) => {
  const consumer = openConsumer(
    async (channel) => {
      await declareWork(channel);
      const grouped = handle(() => {}, { acknowledge: "grouped" });
      await channel.consume("work", grouped);
      await channel.consume("work", grouped);
    },
    { url: ownHost.amqpUrl },
  );
  await expect(consumer.ready).rejects.toThrow('A channel with acknowledge: "grouped" takes one consumer.');
  await consumer.close();
});

test("tells where handle() doesn't work", () => {
  expect(() => handle(() => {})(null)).toThrow(
    "handle() works on the channel that openConsumer passes to its setup.",
  );
});

test("doesn't subscribe again once it is stopped", async ({ broker, ownHost }) => {
  const { log, said } = keptLog();
  const setup = vi.fn<ConsumerSetup>(async (channel) => {
    await declareWork(channel);
    await channel.consume(
      "work",
      handle(() => {}),
    );
  });
  const consumer = openConsumer(setup, { url: ownHost.amqpUrl, log });
  await consumer.ready;
  await consumer.stop();
  await broker.closeConnections(ownHost.name);
  await said(/Connected again\./);
  await consumer.close();
  expect(setup).toHaveBeenCalledOnce();
});

test("tells of a refusal that comes later", async ({ broker, ownHost }) => {
  const user = await broker.createUser({ vhost: ownHost.name, configure: ".*", write: "", read: ".*" });
  let publish = () => {};
  const consumer = openConsumer(
    async (channel) => {
      await declareWork(channel);
      publish = () => channel.sendToQueue("work", Buffer.from("forbidden"));
    },
    { url: user.amqpUrl },
  );
  await consumer.ready;
  publish();
  await expect(consumer.refused).rejects.toThrow(BrokerError);
  await expect(consumer.refused).rejects.toThrow(/ says: .*refused/);
  await consumer.close();
  await user.delete();
});

test("loses nothing when it is stopped while its setup runs, with noAck and without", async ({
  channel,
  virtualHost,
}) => {
  for (const noAck of [true, false]) {
    const bodies = Array.from({ length: 600 }, (_, index) => String(index));
    await send(channel, ...bodies);
    await channel.waitForConfirms();
    let handled = 0;
    let stopped = false;
    let afterwards = 0;
    let subscribed = () => {};
    const isSubscribed = new Promise<void>((resolve) => {
      subscribed = resolve;
    });
    const consumer = openConsumer(
      async (channel) => {
        await channel.consume(
          "work",
          handle((delivery) => {
            handled++;
            if (stopped) afterwards++;
            if (!noAck) channel.ack(delivery);
          }),
          { noAck },
        );
        subscribed();
        // The setup goes on while deliveries come in.
        for (let turn = 0; turn < 50; turn++) await channel.checkQueue("work");
      },
      { url: virtualHost.amqpUrl },
    );
    await isSubscribed;
    await consumer.stop();
    stopped = true;
    await consumer.close();
    await inQueue(channel, 600 - handled);
    expect(afterwards).toBe(0);
    // What the broker took for done is done. What had to be acknowledged was not begun.
    if (!noAck) expect(handled).toBe(0);
    await channel.purgeQueue("work");
  }
});

test("gets the acknowledgements of a large prefetch to a quorum queue before it closes", async ({
  channel,
  virtualHost,
}) => {
  const count = 750;
  await send(channel, ...Array.from({ length: count }, (_, index) => String(index)));
  await channel.waitForConfirms();
  const consumer = openConsumer(
    async (channel) => {
      const deliveries: Parameters<typeof channel.ack>[0][] = [];
      await channel.prefetch(count);
      await channel.consume(
        "work",
        handle((delivery) => {
          deliveries.push(delivery);
          if (deliveries.length < count) return;
          for (const each of deliveries) channel.ack(each);
          stop();
        }),
      );
    },
    { url: virtualHost.amqpUrl },
  );
  let stop = () => {};
  await new Promise<void>((resolve) => {
    stop = resolve;
  });
  await consumer.stop();
  await consumer.close();
  // A message that comes back does so when the channel is gone: the queue is asked until that is certain.
  await expect.poll(async () => (await channel.checkQueue("work")).consumerCount).toBe(0);
  expect(await waiting(channel)).toBe(0);
});

test("starts no further handlers once it is stopped, and gives back what it was given ahead", async ({
  channel,
  virtualHost,
}) => {
  await send(channel, "one", "two", "three");
  await channel.waitForConfirms();
  const got: string[] = [];
  let finish = () => {};
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(async (delivery) => {
          got.push(delivery.content.toString());
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          channel.ack(delivery);
        }),
      );
    },
    { url: virtualHost.amqpUrl },
  );
  await expect.poll(() => got).toEqual(["one"]);
  const stopped = consumer.stop();
  expect(consumer.inHand()).toBe(1);
  finish();
  await stopped;
  expect(consumer.inHand()).toBe(0);
  await consumer.close();
  expect(got).toEqual(["one"]);
  await inQueue(channel, 2);
});

test("gives up a handler that doesn't finish by the deadline, and says so", async ({
  channel,
  virtualHost,
}) => {
  await send(channel, "endless");
  const { log, lines } = keptLog();
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(() => new Promise(() => {})),
      );
    },
    { url: virtualHost.amqpUrl, log },
  );
  await expect.poll(() => consumer.inHand()).toBe(1);
  await consumer.stop({ deadline: 100 });
  await consumer.close();
  expect(lines).toEqual(["Gave up 1 message in hand. The broker delivers them again."]);
  await inQueue(channel, 1);
});

test("stops and closes by its deadline when the broker has gone silent", async ({
  channel,
  virtualHost,
  onTestFinished,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  const open = socketsTo(wire.port, onTestFinished);
  await send(channel, "one");
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(() => {}),
      );
    },
    { url: wire.amqpUrl },
  );
  await consumer.ready;
  wire.freeze();
  await consumer.stop({ deadline: 200 });
  await consumer.close({ deadline: 200 });
  expect(consumer.status).toBe("closed");
  await expect.poll(open).toBe(0);
  await wire.close();
});

test("keeps its place until its channel closes, if it is told to", async ({ channel, virtualHost }) => {
  await channel.assertQueue("single", {
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-single-active-consumer": true },
  });
  channel.sendToQueue("single", Buffer.from("one"));
  channel.sendToQueue("single", Buffer.from("two"));
  const events: string[] = [];
  let finish = () => {};
  const open = (name: string) =>
    openConsumer(
      async (channel) => {
        await channel.prefetch(1);
        await channel.consume(
          "single",
          handle(async (delivery) => {
            events.push(`${name} began ${delivery.content}`);
            if (name === "first")
              await new Promise<void>((resolve) => {
                finish = resolve;
              });
            events.push(`${name} finished ${delivery.content}`);
            channel.ack(delivery);
          }),
        );
      },
      { url: virtualHost.amqpUrl, stopBy: "close" },
    );
  const first = open("first");
  await expect.poll(() => events).toEqual(["first began one"]);
  const second = open("second");
  await second.ready;
  const stopped = first.stop();
  // A round trip on the second consumer's way: were it active already, its delivery would have come before.
  await channel.checkQueue("single");
  finish();
  await stopped;
  await first.close();
  await expect.poll(() => events, { timeout: 15_000 }).toContain("second finished two");
  expect(events).toEqual([
    "first began one",
    "first finished one",
    "second began two",
    "second finished two",
  ]);
  await second.stop();
  await second.close();
});

test("starts no handler beside one whose delivery is gone, and doesn't wait for that one when it stops", async ({
  channel,
  virtualHost,
}) => {
  const wire = await openWire(virtualHost.amqpUrl);
  await send(channel, "slow");
  const { log, said } = keptLog();
  let begun = 0;
  let running = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(async () => {
          begun++;
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => finish.push(resolve));
          running--;
        }),
      );
    },
    { url: wire.amqpUrl, log },
  );
  await expect.poll(() => begun).toBe(1);
  wire.cut();
  await said(/Connected again/);
  await said(/A handler still runs although its message went back to the queue/);
  expect(begun).toBe(1);
  finish.shift()?.();
  await expect.poll(() => begun).toBe(2);
  expect(most).toBe(1);
  // Now its delivery is gone, too, and it never finishes.
  await wire.unplug();
  await consumer.stop();
  await consumer.close();
  await wire.close();
});

test.for(kinds)(
  "names the queue when headers end the connection: %s",
  async (kind, { broker, virtualHost, channel }) => {
    // RabbitMQ 4 gives a header of that type another type, which amqplib knows. So does a quorum queue of 3.10.
    const isRead = kind === "a type that amqplib doesn't know" && !broker.version.startsWith("3.");
    await channel.assertQueue("classic", { durable: true });
    await publishUnreadable(virtualHost.amqpUrl, "classic", kind);
    const { log, lines, said } = keptLog();
    let handled = 0;
    const consumer = openConsumer(
      async (channel) => {
        await channel.prefetch(1);
        await channel.consume(
          "classic",
          handle((delivery) => {
            handled++;
            channel.ack(delivery);
          }),
        );
      },
      { url: virtualHost.amqpUrl, log },
    );
    if (isRead) await expect.poll(() => handled).toBe(1);
    else {
      await said(/Probably a message from classic ended the connection\. A quorum queue/);
      expect(lines[0]).toMatch(
        /^Connection lost \((Unexpected type tag "L"|Maximum call stack size exceeded)\)/,
      );
    }
    await consumer.stop();
    await consumer.close();
    await channel.deleteQueue("classic");
  },
);

test("gets past a message that ends the connection when its queue has a delivery limit", async ({
  channel,
  virtualHost,
}) => {
  const quorum = (args: object) => ({ durable: true, arguments: { "x-queue-type": "quorum", ...args } });
  await channel.assertQueue("dead", quorum({}));
  const limited = {
    "x-delivery-limit": 2,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": "dead",
  };
  await channel.assertQueue("limited", quorum(limited));
  await publishUnreadable(virtualHost.amqpUrl, "limited", "tables nested 9,000 deep");
  channel.sendToQueue("limited", Buffer.from("behind it"));
  const got: string[] = [];
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "limited",
        handle((delivery) => {
          got.push(delivery.content.toString());
          channel.ack(delivery);
        }),
      );
    },
    { url: virtualHost.amqpUrl },
  );
  await expect.poll(() => got, { timeout: 20_000 }).toEqual(["behind it"]);
  await expect.poll(async () => (await channel.checkQueue("dead")).messageCount).toBe(1);
  await consumer.stop();
  await consumer.close();
});

test("sets a message aside that has ended the connection while it was handled, if it is told to", async ({
  channel,
  virtualHost,
}) => {
  const dead = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "aside" };
  await channel.assertQueue("aside", { durable: true });
  await channel.assertQueue("fatal", { durable: true, arguments: dead });
  channel.sendToQueue("fatal", Buffer.from("fatal"));
  channel.sendToQueue("fatal", Buffer.from("next"));
  const got: string[] = [];
  const { log, lines, said } = keptLog();
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "fatal",
        handle(
          (delivery) => {
            const body = delivery.content.toString();
            got.push(body);
            // Headers must fit into one frame. The broker ends the connection with 501 (frame error) otherwise.
            if (body === "fatal")
              channel.sendToQueue("aside", Buffer.from("x"), { headers: { long: "x".repeat(10_000) } });
            channel.ack(delivery);
          },
          { onFailure: "dead-letter" },
        ),
      );
    },
    { url: `${virtualHost.amqpUrl}?frame_max=8192`, log },
  );
  await said(/Set aside a message from fatal that had ended the connection\./);
  await expect.poll(() => got).toEqual(["fatal", "next"]);
  await expect.poll(async () => (await channel.checkQueue("aside")).messageCount).toBe(1);
  expect(lines.filter((line) => line.startsWith("Connection lost"))).toHaveLength(1);
  await consumer.stop();
  await consumer.close();
});

test.for(["requeue", "dead-letter"] as const)(
  "a poison message ends in the dead letter queue, and those behind it are served meanwhile: %s",
  async (onFailure, { channel, virtualHost }) => {
    const [queue, dead] = [`poisoned ${onFailure}`, `dead ${onFailure}`];
    const quorum = (args: object) => ({ durable: true, arguments: { "x-queue-type": "quorum", ...args } });
    await channel.assertQueue(dead, quorum({}));
    const limited = {
      "x-delivery-limit": 3,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": dead,
    };
    await channel.assertQueue(queue, quorum(limited));
    for (const body of ["poison", "rejected promise", "good", "good"])
      channel.sendToQueue(queue, Buffer.from(body));
    const got: string[] = [];
    const { log, lines } = keptLog();
    const consumer = openConsumer(
      async (channel) => {
        await channel.prefetch(3);
        await channel.consume(
          queue,
          handle(
            (delivery) => {
              const body = delivery.content.toString();
              got.push(body);
              if (body === "poison") throw new Error("at once");
              if (body === "rejected promise") return Promise.reject(new Error("later"));
              return channel.ack(delivery);
            },
            { onFailure, pause: 100 },
          ),
        );
      },
      { url: virtualHost.amqpUrl, log },
    );
    await expect.poll(async () => (await channel.checkQueue(dead)).messageCount, { timeout: 20_000 }).toBe(2);
    // x-delivery-limit is how often a message may come again.
    const times = onFailure === "requeue" ? 4 : 1;
    for (const poison of ["poison", "rejected promise"])
      expect(got.filter((body) => body === poison)).toHaveLength(times);
    // Both were handled before the first poison came back.
    expect(got.slice(0, 4)).toEqual(["poison", "rejected promise", "good", "good"]);
    expect(lines).toContainEqual(expect.stringMatching(/^A handler failed: Error: at once\n/));
    await consumer.stop();
    await consumer.close();
  },
);

test("an acknowledgement after the channel has gone does no harm", async ({ channel, virtualHost }) => {
  const wire = await openWire(virtualHost.amqpUrl);
  await send(channel, "late");
  const { log, lines, said } = keptLog();
  const got: boolean[] = [];
  let finish = () => {};
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(async (delivery) => {
          got.push(delivery.fields.redelivered);
          if (!delivery.fields.redelivered)
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
          channel.ack(delivery);
        }),
      );
    },
    { url: wire.amqpUrl, log },
  );
  await expect.poll(() => got).toEqual([false]);
  wire.cut();
  await said(/Connection lost/);
  finish();
  await expect.poll(() => got, { timeout: 20_000 }).toEqual([false, true]);
  await inQueue(channel, 0);
  expect(lines.join()).not.toMatch(/handler failed/);
  await consumer.stop();
  await consumer.close();
  await wire.close();
});

test("tells that a handler took longer than the broker's consumer timeout, and runs it once at a time", async ({
  channel,
  virtualHost,
}) => {
  // RabbitMQ looks every minute by default: https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout. Here the
  // channel is closed by the same reply code, since waiting for a minute would prove no more.
  await send(channel, "long");
  const { log, lines, said } = keptLog();
  let running = 0;
  let most = 0;
  let begun = 0;
  const consumer = openConsumer(
    async (channel) => {
      await channel.prefetch(1);
      await channel.consume(
        "work",
        handle(async (delivery) => {
          begun++;
          most = Math.max(most, ++running);
          // An unknown delivery tag is 406, PRECONDITION_FAILED, like a timeout.
          channel.ack({ ...delivery, fields: { ...delivery.fields, deliveryTag: 999 } });
          await new Promise(() => {});
        }),
      );
    },
    { url: virtualHost.amqpUrl, log },
  );
  await said(/unknown delivery tag/);
  await said(/The next one waits for it/);
  expect([begun, most]).toEqual([1, 1]);
  expect(lines.join()).not.toMatch(/Connection lost/);
  await consumer.stop();
  await consumer.close();
});
