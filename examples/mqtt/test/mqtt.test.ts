import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import amqp, { type Channel } from "amqplib";
import { freePorts } from "broker";
import mqtt, { type MqttClient } from "mqtt";
import { test as base, manners, scenarios } from "testkit";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { exchange, queue } from "../src/topology.ts";
import { hasDocker, type MqttBroker, startAedes, startMosquitto, startPlugin } from "./mqtt-brokers.ts";

scenarios();

const everyTest = await startAedes();
process.env.MQTT_URL = everyTest.url;
afterAll(() => everyTest.stop());

manners({
  bridge: {
    wrong: [["plant/#"]],
    conflict: (channel) => channel.assertQueue(queue, { arguments: { "x-queue-type": "classic" } }),
    stays: true,
  },
  "amqp-pub": { args: ["plant.1.valve", "open"] },
  "amqp-sub": { args: ["plant.#"], stays: true },
});

/** `at(url)` runs scripts with the MQTT broker there. */
const test = base.extend(
  "at",
  ({ runWith }) =>
    (url: string) =>
    (script: string, ...args: string[]) =>
      runWith({ env: { MQTT_URL: url } }, script, ...args),
);

describe.each([
  { name: "Aedes", here: true, start: startAedes },
  { name: "RabbitMQ's plugin", here: true, start: startPlugin },
  { name: "Mosquitto", here: hasDocker(), start: startMosquitto },
])("publish and subscribe with $name", ({ name, here, start }) => {
  describe.skipIf(!here)("which is here", () => {
    let broker: MqttBroker;
    // Publishes as the script does, which the page's scenarios play.
    let client: MqttClient;
    beforeAll(async () => {
      broker = await start();
      client = await mqtt.connectAsync(broker.url);
    });
    afterAll(async () => {
      await client?.endAsync();
      await broker?.stop();
    });

    test("filters, QoS 1 in a lasting session, QoS 0, and hostile payloads", async ({ at }) => {
      const run = at(broker.url);
      const session = ["mqtt-sub", "a/+/c", "b/#", "--session", "test"] as const;
      const first = run(...session);
      await first.printed(/Waiting/);
      for (const topic of ["a/1/c", "a/1/c/d", "b", "b/c/d"]) await client.publishAsync(topic, "x");
      await first.printed(" [x] b/c/d:'x'");
      first.press("^C");
      expect(await first.exit).toEqual({ code: 0, signal: null });
      expect(first.lines.slice(1)).toEqual(["a/1/c", "b", "b/c/d"].map((topic) => ` [x] ${topic}:'x'`));

      await client.publishAsync("b/0", "zero");
      const million = "m".repeat(2 ** 20);
      for (const payload of ["\x1b[2J\n", Buffer.from([0xff]), million])
        await client.publishAsync("b/1", payload as string, { qos: 1 });
      const second = run(...session);
      await second.printed(` [x] b/1:'${million}'`);
      const kept = name === "RabbitMQ's plugin" ? [" [x] b/0:'zero'"] : [];
      expect(second.lines.slice(1, -1)).toEqual([...kept, " [x] b/1:'\\x1b[2J\\n'", " [x] b/1:'\ufffd'"]);
    });

    test("a retained message comes to whoever subscribes later, until an empty one replaces it", async ({
      at,
    }) => {
      const run = at(broker.url);
      await run("mqtt-pub", "r/1", "old", "--retain").exit;
      await client.publishAsync("r/1", "new", { retain: true, qos: 1 });
      await client.publishAsync("r/1", "passing", { qos: 1 });
      const exact = run("mqtt-sub", "r/1");
      await exact.printed(" [x] r/1:'new' (retained)");
      expect(exact.lines).toHaveLength(2);
      await client.publishAsync("r/1", "", { retain: true, qos: 1 });
      const later = run("mqtt-sub", "r/1");
      await later.printed(/Waiting/);
      await client.publishAsync("r/1", "last", { qos: 1 });
      await later.printed(" [x] r/1:'last'");
      expect(later.lines).toHaveLength(2);
    });

    test("the will is published for those who die or vanish, not for those who say goodbye", async ({
      at,
    }) => {
      const run = at(broker.url);
      const watcher = run("mqtt-sub", "w/#");
      await watcher.printed(/Waiting/);
      await run("mqtt-pub", "w/1", "here", "--will", "gone").exit;
      const interrupted = run("mqtt-pub", "w/2", "here", "--will", "gone", "--every", "60000");
      await interrupted.printed(/Sent/);
      interrupted.press("^C");
      expect(await interrupted.exit).toEqual({ code: 0, signal: null });
      const killed = run("mqtt-pub", "w/3", "here", "--will", "gone", "--every", "60000");
      await killed.printed(/Sent/);
      killed.kill();
      await watcher.printed(" [x] w/3:'gone'");
      await run("mqtt-pub", "w/4", "here", "--will", "gone", "--vanish").exit;
      await watcher.printed(" [x] w/4:'gone'");
      expect(watcher.lines.filter((line) => line.includes("gone"))).toHaveLength(2);
    });

    // RabbitMQ's issue 8824
    test("retained messages by a wildcard: not with RabbitMQ", async ({ at }) => {
      const run = at(broker.url);
      await client.publishAsync("v/1", "kept", { retain: true, qos: 1 });
      const subscriber = run("mqtt-sub", "v/+");
      await subscriber.printed(/Waiting/);
      await client.publishAsync("v/2", "now", { qos: 1 });
      await subscriber.printed(" [x] v/2:'now'");
      const retained = subscriber.lines.filter((line) => line.endsWith("(retained)"));
      expect(retained).toHaveLength(name === "RabbitMQ's plugin" ? 0 : 1);
    });

    if (name === "RabbitMQ's plugin")
      test("it maps names as the bridge does, and turns a bridge down", async ({ runWith }) => {
        const { url, amqpUrl } = broker as Awaited<ReturnType<typeof startPlugin>>;
        const run = (script: string, ...args: string[]) =>
          runWith({ amqpUrl, env: { MQTT_URL: url } }, script, ...args);
        const service = run("amqp-sub", "#");
        const valve = run("mqtt-sub", "plant/+/valve", "x/#");
        for (const each of [service, valve]) await each.printed(/Waiting/);
        for (const topic of ["plant/1/temperature", "plant/1.5/x", "x/*//"])
          await client.publishAsync(topic, "t", { qos: 1 });
        for (const key of ["plant.1.valve", "x.y/z"]) await run("amqp-pub", key, "k").exit;
        for (const key of ["plant.1.temperature", "plant.1.5.x", "x.*.."])
          await service.printed(` [x] ${key}:'t'`);
        for (const topic of ["plant/1/valve", "x/y/z"]) await valve.printed(` [x] ${topic}:'k'`);

        const bridge = run("bridge");
        expect(await bridge.exit).toEqual({ code: 1, signal: null });
        expect(bridge.errors).toEqual([
          expect.stringMatching(/hung up on a bridge\.$/),
          "RabbitMQ's MQTT plugin does that. It needs no bridge: it publishes to amq.topic itself.",
        ]);
      });
    else
      test("the bridge carries both ways, once, and not in circles", async ({ at, channel }) => {
        const run = at(broker.url);
        const received = await collect(channel);
        const bridge = run("bridge");
        const subscriber = run("mqtt-sub", "plant/#", "office/#");
        for (const each of [bridge, subscriber]) await each.printed(/ \[\*\] /);
        await client.publishAsync("plant/1/temperature", "21.5", { qos: 1 });
        await client.publishAsync("plant/1/temperature", "21.6");
        await client.publishAsync("office/1/temperature", "22", { qos: 1 });
        await run("amqp-pub", "plant.1.temperature", "set").exit;
        await run("amqp-pub", "office.1", "set").exit;
        await run("amqp-pub", "plant", "end").exit;
        await subscriber.printed(" [x] plant:'end'");
        expect(subscriber.lines.slice(1)).toEqual([
          " [x] plant/1/temperature:'21.5'",
          " [x] plant/1/temperature:'21.6'",
          " [x] office/1/temperature:'22'",
          " [x] plant/1/temperature:'set'",
          " [x] plant:'end'",
        ]);
        await expect.poll(() => channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
        bridge.press("^C");
        expect(await bridge.exit).toEqual({ code: 0, signal: null });
        expect(bridge.errors).toEqual([]);
        expect(received).toEqual([
          ["plant.1.temperature", "21.5", 2],
          ["plant.1.temperature", "21.6", 1],
          ["plant.1.temperature", "set", 2],
          ["office.1", "set", 2],
          ["plant", "end", 2],
        ]);
      });
  });
});

describe("a bridge", () => {
  test("loses nothing while it, RabbitMQ or the MQTT broker is away", async ({
    at,
    broker,
    channel,
    virtualHost,
    onTestFinished,
  }) => {
    const first = await startAedes();
    const run = at(first.url);
    // It sees what comes to AMQP, whoever is connected.
    await channel.assertQueue("seen", { durable: true });
    await channel.bindQueue("seen", exchange, "plant.#");
    const crashing = run("bridge");
    await crashing.printed(/Carrying/);
    crashing.kill();
    await crashing.exit;
    await run("mqtt-pub", "plant/1", "no bridge").exit;
    await run("amqp-pub", "plant.2", "no bridge").exit;
    const client = await mqtt.connectAsync(first.url);
    const received: string[] = [];
    client.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
    await client.subscribeAsync("plant/2", { qos: 1 });
    const bridge = run("bridge");
    await expect.poll(() => received).toEqual(["plant/2 no bridge"]);

    await broker.closeConnections(virtualHost.name, /bridge/);
    await client.publishAsync("plant/1", "no RabbitMQ", { qos: 1 });
    await bridge.printed(/Carrying/, { times: 2 });
    await client.endAsync();

    await first.stop();
    await bridge.printed(/Connection to the MQTT broker lost/);
    await run("amqp-pub", "plant.2", "no MQTT").exit;
    const second = await startAedes(first.port);
    onTestFinished(() => second.stop());
    const connection = await amqp.connect(virtualHost.amqpUrl);
    onTestFinished(() => connection.close());
    const left = await connection.createChannel();
    await expect.poll(async () => (await left.checkQueue(queue)).messageCount).toBe(0);
    // It was connected again before, when RabbitMQ came back.
    const last = (line: RegExp) => bridge.lines.findLastIndex((it) => line.test(it));
    await expect.poll(() => last(/Connected to the MQTT/) > last(/MQTT broker lost/)).toBe(true);
    // Aedes has forgotten the session, and the bridge has subscribed again.
    const subscriber = run("mqtt-sub", "plant/2");
    await subscriber.printed(/Waiting/);
    await run("mqtt-pub", "plant/1", "a new session").exit;
    await run("amqp-pub", "plant.2", "a new session").exit;
    await subscriber.printed(" [x] plant/2:'a new session'");

    const bodies = async () => {
      for (
        let got = await left.get("seen", { noAck: true });
        got;
        got = await left.get("seen", { noAck: true })
      )
        seen.add(`${got.fields.routingKey} ${got.content}`);
      return [...seen].sort();
    };
    const seen = new Set<string>();
    await expect
      .poll(bodies)
      .toEqual([
        "plant.1 a new session",
        "plant.1 no RabbitMQ",
        "plant.1 no bridge",
        "plant.2 a new session",
        "plant.2 no MQTT",
        "plant.2 no bridge",
      ]);
  });

  test("holds what RabbitMQ refuses until it takes it", async ({ at, channel }) => {
    const run = at(everyTest.url);
    const bridge = run("bridge");
    await bridge.printed(/ \[\*\] /);
    const full = { durable: true, arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } };
    await channel.assertQueue("full", full);
    await channel.bindQueue("full", exchange, "plant.full");
    channel.sendToQueue("full", Buffer.from("first"));
    await channel.waitForConfirms();
    await run("mqtt-pub", "plant/full", "second").exit;
    await bridge.printed(/RabbitMQ refused or returned messages/);
    await channel.purgeQueue("full");
    await expect.poll(async () => (await channel.checkQueue("full")).messageCount).toBe(1);
    const message = await channel.get("full", { noAck: true });
    expect(message ? message.content.toString() : "none").toBe("second");
  });

  test("says what it can't carry, keeps the dead letters, and carries what comes next", async ({
    at,
    channel,
    management,
    virtualHost,
    onTestFinished,
  }) => {
    const policy = `/policies/${virtualHost.name}/dead`;
    const definition = { "dead-letter-exchange": "", "dead-letter-routing-key": "dead" };
    onTestFinished(() => management<void>("DELETE", policy));
    await management("PUT", policy, { pattern: `^${queue}$`, "apply-to": "queues", definition });
    await channel.assertQueue("dead", { durable: true });
    const run = at(everyTest.url);
    const bridge = run("bridge");
    const subscriber = run("mqtt-sub", "plant/#");
    for (const each of [bridge, subscriber]) await each.printed(/ \[\*\] /);
    const huge = Buffer.alloc(2_000_001, "x");
    for (const key of ["plant.#", "plant.a+", "plant.\x1b[2J"])
      channel.publish(exchange, key, Buffer.from("x"));
    channel.publish(exchange, "plant.huge", huge, { persistent: true });
    channel.publish(exchange, "plant.1", Buffer.from("end"), { persistent: true });
    await subscriber.printed(" [x] plant/1:'end'");
    expect(subscriber.lines).toHaveLength(2);

    const received = await collect(channel);
    const client = await mqtt.connectAsync(everyTest.url);
    onTestFinished(() => client.endAsync());
    await client.publishAsync(`plant/${"l".repeat(255)}`, "x", { qos: 1 });
    await client.publishAsync("plant/huge", huge, { qos: 1 });
    await client.publishAsync("plant/1", "next", { qos: 1 });
    await expect.poll(() => received).toEqual([["plant.1", "next", 2]]);
    expect(bridge.errors).toEqual([
      ...["plant.#", "plant.a+", "plant.\\x1b[2J"].map(
        (key) => ` [!] Dropped a message from AMQP, the other side has no address like its own: ${key}`,
      ),
      " [!] Dropped a message from AMQP, its 2000001 bytes are too many: plant.huge",
      expect.stringMatching(
        /^ \[!\] Dropped a message from MQTT, the other side has no address like its own: plant\/l+$/,
      ),
      " [!] Dropped a message from MQTT, its 2000001 bytes are too many: plant/huge",
    ]);
    await expect.poll(async () => (await channel.checkQueue("dead")).messageCount).toBe(4);
  });
});

describe("what a user does wrong", () => {
  const commands = [["mqtt-pub", "a/b", "c"], ["mqtt-sub", "a/#"], ["bridge"]] as [string, ...string[]][];

  test("an MQTT_URL that leads nowhere: one or two lines, without a password", async ({ at }) => {
    const wrong: [string, RegExp][] = [
      [
        "mqtt://user:secret@127.0.0.1:1",
        /^No MQTT broker at mqtt:\/\/user@127\.0\.0\.1:1 \(connection refused\)\.\nStart/,
      ],
      ["mqtt://nowhere.invalid", /^No MQTT broker at mqtt:\/\/nowhere\.invalid \(unknown host\)\.\nStart/],
      ["http://user:secret@localhost", /^MQTT_URL begins with http: but expected [^\n]*$/],
      ["//user:secret@localhost", /^MQTT_URL is not a URL: expected [^\n]*$/],
      ["mqtt://user:secret%@localhost", /^MQTT_URL is not a URL: expected [^\n]*$/],
    ];
    await Promise.all(
      wrong.flatMap(([url, expected]) =>
        commands.map(async ([script, ...args]) => {
          const terminal = at(url)(script, ...args);
          expect(await terminal.exit).toEqual({ code: 1, signal: null });
          expect(terminal.lines.join("\n")).toMatch(expected);
          expect(terminal.lines.join()).not.toContain("secret");
        }),
      ),
    );
  });

  test("a broker that speaks no MQTT, or refuses the login", async ({ at, onTestFinished }) => {
    const other = createServer((socket) => socket.end("220 hello\r\n")).listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const stranger = at(`mqtt://127.0.0.1:${port}`)("mqtt-sub", "#");
    expect(await stranger.exit).toEqual({ code: 1, signal: null });
    expect(stranger.errors[0]).toMatch(
      /^mqtt:\/\/127\.0\.0\.1:\d+ (hung up before it spoke MQTT|can't be used)/,
    );

    const strict = await startAedes(undefined, (password) => password === "right:é");
    onTestFinished(() => strict.stop());
    const login = (password: string) => strict.url.replace("//", `//user:${encodeURIComponent(password)}@`);
    const refused = at(login("wrong"))("mqtt-sub", "#");
    expect(await refused.exit).toEqual({ code: 1, signal: null });
    expect(refused.errors).toEqual([expect.stringMatching(/refused the login/)]);
    expect(refused.errors[0]).not.toContain("wrong");
    await at(login("right:é"))("mqtt-sub", "#").printed(/Waiting/);
  });

  test("wrong arguments: the usage", async ({ run }) => {
    const wrong = [
      ["mqtt-pub"],
      ["mqtt-pub", "a/+", "x"],
      ["mqtt-pub", "$SYS/x", "x"],
      ["mqtt-pub", "a", "--qos", "2"],
      ["mqtt-pub", "a", "--every", "0"],
      ["mqtt-sub"],
      ["mqtt-sub", "a#"],
      ["mqtt-sub", "a", "--qos", "x"],
      ["mqtt-sub", "a", "--session", ""],
      ["mqtt-sub", "a", "--session", "s".repeat(2 ** 16)],
      ["mqtt-pub", "a", "--will", "w".repeat(2 ** 16)],
      ["broker", "1883"],
      ["amqp-pub"],
      ["amqp-pub", "é".repeat(128)],
      ["amqp-sub"],
      ["amqp-sub", "é".repeat(128)],
    ] as [string, ...string[]][];
    await Promise.all(
      wrong.map(async ([script, ...args]) => {
        const terminal = run(script, ...args);
        expect(await terminal.exit).toEqual({ code: 2, signal: null });
        expect(terminal.errors[1]).toMatch(new RegExp(`^Usage: .* ${script}\\b`));
      }),
    );
  });

  test("broker listens where MQTT_URL says, or nowhere", async ({ at }) => {
    const wrong: [string, RegExp][] = [
      ["file:///user:secret", /^MQTT_URL begins with file: but expected/],
      ["mqtt://user:secret@localhost:99999", /^MQTT_URL is not a URL: expected/],
      ["mqtt://user:secret@broker.invalid", /^MQTT_URL names mqtt:\/\/user@broker\.invalid, but this broker/],
      ["mqtts://localhost", /^MQTT_URL names mqtts:\/\/localhost, but this broker/],
    ];
    for (const [url, expected] of wrong) {
      const broker = at(url)("broker");
      expect(await broker.exit, url).toEqual({ code: 1, signal: null });
      expect(broker.lines).toEqual([expect.stringMatching(expected)]);
      expect(broker.lines[0]).not.toContain("secret");
    }
  });

  test("broker says when its port is in use, and Ctrl-C ends it well", async ({ at }) => {
    const taken = at(everyTest.url)("broker");
    expect(await taken.exit).toEqual({ code: 1, signal: null });
    expect(taken.errors).toEqual([expect.stringMatching(/^The port of MQTT is in use\./)]);
    const [port] = await freePorts(1);
    const broker = at(`mqtt://localhost:${port}`)("broker");
    await broker.printed(` [*] Waiting for MQTT clients on mqtt://127.0.0.1:${port}. To exit press CTRL+C`);
    const subscriber = at(`mqtt://127.0.0.1:${port}`)("mqtt-sub", "#");
    await subscriber.printed(/Waiting/);
    broker.press("^C");
    expect(await broker.exit).toEqual({ code: 0, signal: null });
    await subscriber.printed(/lost/);
    subscriber.press("^C");
    expect(await subscriber.exit).toEqual({ code: 0, signal: null });
  });
});

/** Routing key, body and delivery mode (2: persistent) of all that comes to the exchange from now on. */
async function collect(channel: Channel): Promise<[string, string, number][]> {
  const received: [string, string, number][] = [];
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "#");
  await channel.consume(
    queue,
    (delivery) => {
      if (!delivery) return;
      const { fields, content, properties } = delivery;
      received.push([fields.routingKey, content.toString(), properties.deliveryMode ?? 1]);
    },
    { noAck: true },
  );
  return received;
}
