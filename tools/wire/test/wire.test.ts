import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";
import type { Channel } from "amqplib";
import { freePorts, type Management } from "broker";
import { describe, expect } from "vitest";
import type { Held, Said } from "../src/index.ts";
import { kill, lost, test } from "./fixtures.ts";

const calls = (said: Said[]) =>
  said.map(({ direction, method }) => `${direction === "to-broker" ? "→" : "←"} ${method}`);

/** A server that isn't RabbitMQ. */
async function serve(handle: (socket: Socket) => void): Promise<{ server: Server; url: string }> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const count = async (channel: Channel, queue: string) => (await channel.checkQueue(queue)).messageCount;

describe("what is said", () => {
  test("is reported in order, with its fields and content", async ({ virtualHost, connect, wireTo }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl);
    const opened = once(wire, "open");
    const closed = once(wire, "close");
    const connection = await connect(wire.amqpUrl);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("reported", { durable: true, maxPriority: 3 });
    const headers = { number: 1, nested: { list: [true, "ü", null] } };
    channel.sendToQueue("reported", Buffer.from("Größe"), {
      headers,
      persistent: true,
      messageId: "m-1",
      timestamp: 7,
    });
    await channel.waitForConfirms();
    await channel.get("reported", { noAck: true });
    await connection.close();
    const [connected] = await opened;
    expect(await closed).toEqual([connected]);

    expect(calls(said)).toEqual([
      "→ protocol-header",
      "← connection.start",
      "→ connection.start-ok",
      "← connection.tune",
      "→ connection.tune-ok",
      "→ connection.open",
      "← connection.open-ok",
      "→ channel.open",
      "← channel.open-ok",
      "→ confirm.select",
      "← confirm.select-ok",
      "→ queue.declare",
      "← queue.declare-ok",
      "→ basic.publish",
      "← basic.ack",
      "→ basic.get",
      "← basic.get-ok",
      "→ connection.close",
      "← connection.close-ok",
    ]);
    const content = {
      properties: { headers, deliveryMode: 2, messageId: "m-1", timestamp: new Date(7000) },
      size: 7,
      body: Buffer.from("Größe"),
    };
    expect(said.find(({ method }) => method === "queue.declare")).toMatchObject({
      channel: 1,
      fields: { queue: "reported", durable: true, exclusive: false, arguments: { "x-max-priority": 3 } },
    });
    expect(said.find(({ method }) => method === "basic.publish")).toMatchObject({
      fields: { exchange: "", routingKey: "reported", mandatory: false },
      content,
    });
    expect(said.find(({ method }) => method === "basic.get-ok")).toMatchObject({
      fields: { deliveryTag: 1, redelivered: false, messageCount: 0 },
      content,
    });
    expect(connected).toMatchObject({ id: 1, to: virtualHost.amqpUrl, protocol: "AMQP 0-9-1" });
    expect(connected.name).toMatch(/^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
  });

  test("holds no secret", async ({ broker, virtualHost, connect, wireTo }) => {
    const user = await broker.createUser({ vhost: virtualHost.name, configure: "", write: "", read: "" });
    const { wire, said } = await wireTo(user.amqpUrl);
    const connection = await connect(wire.amqpUrl);
    await connection.updateSecret(Buffer.from("another-secret"), "expired");
    await connection.close();
    await user.delete();
    expect(calls(said)).toContain("→ connection.update-secret");
    for (const secret of [user.password, "another-secret"]) {
      expect(JSON.stringify(said)).not.toContain(secret);
      expect(JSON.stringify(said)).not.toContain(Buffer.from(secret).toJSON().data.join());
    }
  });

  test("passes byte for byte, whatever its size", async ({ channel, virtualHost, connect, wireTo }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl, { keep: 1000 });
    const publisher = await (await connect(wire.amqpUrl)).createConfirmChannel();
    await publisher.assertQueue("large");
    const body = Buffer.alloc(16 * 1024 * 1024);
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2654435761) >>> 0, at);
    publisher.sendToQueue("large", body);
    await publisher.waitForConfirms();
    const message = await channel.get("large", { noAck: true });
    expect(message && body.equals(message.content)).toBe(true);
    const published = said.find(({ method }) => method === "basic.publish");
    expect(published?.content?.size).toBe(body.length);
    expect(published?.content?.body.equals(body.subarray(0, 1000))).toBe(true);
  });

  test("is passed on also when it is malformed", async ({ wireTo, onTestFinished }) => {
    const greeting = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");
    // queue.declare with a table in which is a field of the type "?".
    const payload = [0, 50, 0, 10, 0, 0, 1, 113, 0, 0, 0, 0, 3, 1, 97, 63];
    const malformed = Buffer.from([1, 0, 1, 0, 0, 0, payload.length, ...payload, 0xce]);
    const heartbeat = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);
    const sent = Buffer.concat([greeting, malformed, heartbeat]);
    const { server, url } = await serve((socket) => socket.pipe(socket));
    onTestFinished(() => void server.close());
    const { wire, said } = await wireTo(url);
    const client = dial(wire.port, "127.0.0.1");
    client.end(sent);
    expect(Buffer.concat(await client.toArray())).toEqual(sent);
    const there = said.filter(({ direction }) => direction === "to-broker");
    expect(there).toMatchObject([
      { method: "protocol-header" },
      {
        method: "undecodable",
        channel: 1,
        bytes: malformed.length,
        problem: "Field type '63' not supported",
      },
      { method: "heartbeat" },
    ]);
  });

  test("in another protocol is passed on unread, and named", async ({ broker, wireTo }) => {
    const { host } = new URL(broker.managementUrl);
    const { wire, said } = await wireTo(`amqp://${host}`);
    const foreign = once(wire, "foreign");
    const response = await fetch(`http://127.0.0.1:${wire.port}/api/overview`, {
      headers: { authorization: `Basic ${btoa("guest:guest")}`, connection: "close" },
    });
    expect(await response.json()).toHaveProperty("rabbitmq_version");
    expect(await foreign).toMatchObject([{ protocol: "HTTP" }]);
    expect(new Set(said.map(({ method }) => method))).toEqual(new Set(["opaque"]));
  });

  test("first by a server is passed on as well", async ({ wireTo, onTestFinished }) => {
    // The first byte alone could be that of a frame.
    const { server, url } = await serve((socket) => socket.end("\x01 hello"));
    onTestFinished(() => void server.close());
    const { wire } = await wireTo(url);
    const client = dial(wire.port, "127.0.0.1");
    client.end();
    expect(Buffer.concat(await client.toArray()).toString()).toBe("\x01 hello");
  });

  test("to a reader that doesn't read takes no memory without bound", async ({ wireTo, onTestFinished }) => {
    const sockets: Socket[] = [];
    const { server, url } = await serve((socket) => {
      sockets.push(socket.pause());
    });
    onTestFinished(() => void server.close());
    const { wire } = await wireTo(url);
    const client = dial(wire.port, "127.0.0.1").on("error", () => {});
    client.write("AMQP\x00\x00\x09\x01", "latin1");
    const body = Buffer.alloc(100_000);
    const frame = Buffer.concat([Buffer.from([3, 0, 1, 0, 1, 0x86, 0xa0]), body, Buffer.from([0xce])]);
    // A peer that reads nothing has some MiB in the buffers of four sockets.
    let written = 0;
    const stuck = () =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), 500);
        client.write(frame, () => {
          clearTimeout(timer);
          written += frame.length;
          resolve(false);
        });
      });
    while (!(await stuck())) expect(written).toBeLessThan(64 * 1024 * 1024);
    client.destroy();
    wire.cut();
    for (const socket of sockets) socket.destroy();
  });
});

describe("holding", () => {
  const single = ({ method }: Said) => /^basic\.(publish|deliver|ack)$/.test(method);

  test("lets a publish, a delivery and an acknowledgement through one at a time", async ({
    broker,
    virtualHost,
    channel,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const program = await (await connect(wire.amqpUrl)).createConfirmChannel();
    await program.assertQueue("steps", { arguments: { "x-queue-type": "classic" } });
    const next = async (method: string): Promise<Held> => {
      await expect.poll(() => wire.held.map(({ said }) => said.method)).toEqual([method]);
      return wire.held[0] as Held;
    };
    wire.holdWhen((said) => single(said) && !(said.direction === "to-client" && said.method === "basic.ack"));

    program.sendToQueue("steps", Buffer.from("one"));
    const publish = await next("basic.publish");
    expect(publish.said.content?.body.toString()).toBe("one");
    expect(await count(channel, "steps")).toBe(0);
    publish.pass();
    await program.waitForConfirms();
    expect(await count(channel, "steps")).toBe(1);

    const received: string[] = [];
    await program.consume("steps", (message) => {
      received.push(String(message?.content));
      if (message) program.ack(message);
    });
    const delivery = await next("basic.deliver");
    expect(await unacked(broker.management, virtualHost.name)).toBe(1);
    expect(received).toEqual([]);
    delivery.pass();
    const ack = await next("basic.ack");
    expect(received).toEqual(["one"]);
    expect(await unacked(broker.management, virtualHost.name)).toBe(1);
    ack.pass();
    await expect.poll(() => unacked(broker.management, virtualHost.name)).toBe(0);
    ack.pass();
    expect(wire.held).toEqual([]);
    await channel.deleteQueue("steps");
  });

  test("keeps everything back behind what is held, until it is released", async ({
    virtualHost,
    channel,
    connect,
    wireTo,
  }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl);
    const program = await (await connect(wire.amqpUrl)).createConfirmChannel();
    await program.assertQueue("behind");
    let asked = 0;
    wire.holdWhen(({ method }) => method === "basic.publish" && asked++ === 0);
    for (const body of ["1", "2", "3"]) program.sendToQueue("behind", Buffer.from(body));
    await expect.poll(() => wire.held).toHaveLength(1);
    expect(await count(channel, "behind")).toBe(0);
    wire.release();
    await program.waitForConfirms();
    const published = said.filter(({ method }) => method === "basic.publish");
    expect(published.map(({ content }) => content?.body.toString())).toEqual(["1", "2", "3"]);
    await channel.deleteQueue("behind");
  });

  test("a direction keeps what it says back, and the other is not held", async ({
    virtualHost,
    channel,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const program = await (await connect(wire.amqpUrl)).createConfirmChannel();
    await program.assertQueue("confirms");
    wire.hold("to-client");
    let confirmed = false;
    program.sendToQueue("confirms", Buffer.from("1"), {}, () => {
      confirmed = true;
    });
    await expect.poll(() => count(channel, "confirms")).toBe(1);
    expect(confirmed).toBe(false);
    wire.release("to-client");
    await program.waitForConfirms();
    await channel.deleteQueue("confirms");
  });

  test("lets heartbeats overtake, so that the connection stands", async ({
    virtualHost,
    connect,
    wireTo,
  }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl);
    const url = new URL(wire.amqpUrl);
    url.searchParams.set("heartbeat", "1");
    const connection = await connect(url.href);
    wire.hold();
    const channel = connection.createChannel();
    said.length = 0;
    // After two intervals without one, either side would give the other up.
    await expect.poll(() => calls(said).filter((call) => call === "→ heartbeat").length).toBeGreaterThan(3);
    expect(calls(said).filter((call) => call === "← heartbeat").length).toBeGreaterThan(2);
    expect(new Set(calls(said))).toEqual(new Set(["→ heartbeat", "← heartbeat"]));
    wire.release();
    await (await channel).close();
  });

  test("slows frames down, and still passes all", async ({ virtualHost, connect, wireTo }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl);
    const program = await (await connect(wire.amqpUrl)).createConfirmChannel();
    await program.assertQueue("slowly");
    const pause = 20;
    const times: number[] = [];
    wire.on("said", ({ method }) => method === "basic.publish" && times.push(performance.now()));
    wire.slow(pause, "to-broker");
    for (let i = 0; i < 5; i++) program.sendToQueue("slowly", Buffer.from("x"));
    await program.waitForConfirms();
    expect(calls(said).filter((call) => call === "→ basic.publish")).toHaveLength(5);
    // Three frames each. A timer may be a millisecond early.
    const [first = 0, , , , last = 0] = times;
    expect(last - first).toBeGreaterThan(12 * (pause - 1) - 1);
    wire.release();
    await program.deleteQueue("slowly");
  });
});

describe("breaking", () => {
  test.for(["fin", "rst"] as const)(
    "cuts with a %s, and leads the next connection through",
    async (how, { virtualHost, connect, wireTo }) => {
      const { wire } = await wireTo(virtualHost.amqpUrl);
      const connection = await connect(wire.amqpUrl);
      const closed = lost(connection);
      wire.cut(how);
      await closed;
      const next = wire.nextConnection();
      await connect(wire.amqpUrl);
      expect(await next).toMatchObject({ id: 2 });
    },
  );

  test("gives up waiting for a connection when it is told to", async ({ virtualHost, wireTo }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const reason = new Error("enough");
    await expect(wire.nextConnection(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("unplugged it refuses, plugged in it accepts at the same port", async ({
    virtualHost,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const { port } = wire;
    const closed = lost(await connect(wire.amqpUrl));
    await wire.unplug();
    await closed;
    await expect(connect(wire.amqpUrl)).rejects.toThrow(/ECONNREFUSED/);
    await wire.unplug();
    await wire.plugIn();
    await wire.plugIn();
    expect(wire.port).toBe(port);
    await (await connect(wire.amqpUrl)).close();
  });

  test("stops after any number of frames of a message, and in the middle of one", async ({
    virtualHost,
    channel,
    connect,
    wireTo,
  }) => {
    const { wire, said } = await wireTo(virtualHost.amqpUrl);
    await channel.assertQueue("partly");
    for (const [frames, bytes, arrives] of [
      [0, 0, 0],
      [0, 10, 0],
      [1, 0, 0],
      [2, 0, 0],
      [2, 8, 0],
      [3, 0, 1],
    ] as const) {
      const stopped = wire.stopAt({ method: "basic.publish", frames, bytes });
      const connection = await connect(wire.amqpUrl);
      const program = await connection.createConfirmChannel();
      const closed = lost(connection);
      said.length = 0;
      program.sendToQueue("partly", Buffer.from("a message"));
      program.sendToQueue("partly", Buffer.from("another"));
      const { id } = await stopped;
      expect(wire.connections.map((each) => each.id)).toContain(id);
      expect(calls(said).filter((call) => call === "→ basic.publish")).toHaveLength(arrives);
      await expect.poll(() => count(channel, "partly"), { message: `${frames} frames` }).toBe(arrives);
      wire.cut();
      await closed;
      expect(await count(channel, "partly")).toBe(arrives);
      await channel.purgeQueue("partly");
    }
    await channel.deleteQueue("partly");
  });

  test("tells the broker that a client has gone whose frames were stopped", async ({
    virtualHost,
    channel,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const stopped = wire.stopAt({ method: "basic.ack" });
    await channel.assertQueue("stopped");
    channel.sendToQueue("stopped", Buffer.from("x"));
    const connection = await connect(wire.amqpUrl);
    const program = await connection.createChannel();
    await program.consume("stopped", (message) => message && program.ack(message));
    await stopped;
    expect(await count(channel, "stopped")).toBe(0);
    kill(connection);
    await expect.poll(() => count(channel, "stopped")).toBe(1);
    await channel.deleteQueue("stopped");
  });
});

describe("freezing", () => {
  test("is a peer that accepts connections and says nothing", async ({ wireTo }) => {
    const [nowhere] = await freePorts(1);
    const { wire, said } = await wireTo(`amqp://127.0.0.1:${nowhere}`);
    wire.freeze();
    const client = dial(wire.port, "127.0.0.1").on("error", () => {});
    const next = await wire.nextConnection();
    client.write("AMQP\x00\x00\x09\x01", "latin1");
    client.once("data", () => expect.unreachable());
    client.end();
    await once(client, "finish");
    expect(wire.connections).toEqual([next]);
    expect({ ...next, said }).toMatchObject({ to: undefined, said: [] });
    const closed = once(wire, "close");
    wire.cut();
    await closed;
    expect(wire.connections).toEqual([]);
  });

  test("keeps the sockets open, so that only the missing heartbeats tell", async ({
    virtualHost,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const url = new URL(wire.amqpUrl);
    url.searchParams.set("heartbeat", "1");
    const connection = await connect(url.href);
    wire.freeze();
    const [error] = await once(connection, "error");
    expect(error.message).toMatch(/Heartbeat timeout/);
    wire.thaw();
    await (await connect(wire.amqpUrl)).close();
  });

  test("in one direction makes a half-open connection: the broker keeps a client that has gone", async ({
    broker,
    virtualHost,
    connect,
    wireTo,
  }) => {
    const { wire } = await wireTo(virtualHost.amqpUrl);
    const connection = await connect(wire.amqpUrl);
    const { queue } = await (await connection.createChannel()).assertQueue("", { exclusive: true });
    const queues = async () => {
      const found = await broker.management<{ name: string }[]>("GET", `/queues/${virtualHost.name}`);
      return found.map(({ name }) => name);
    };
    wire.freeze("to-broker");
    kill(connection);
    // The broker has time to learn of it, if it could: this takes seven messages there and back.
    await connect(virtualHost.amqpUrl);
    expect(await queues()).toContain(queue);
    wire.cut();
    await expect.poll(queues).not.toContain(queue);
  });
});

describe("several brokers", () => {
  test("a connection goes to the first that accepts it", async ({ virtualHost, connect, wireTo }) => {
    const [nowhere] = await freePorts(1);
    const { wire } = await wireTo([`amqp://127.0.0.1:${nowhere}`, virtualHost.amqpUrl]);
    const opened = once(wire, "open");
    const url = new URL(virtualHost.amqpUrl);
    url.port = String(wire.port);
    await connect(url.href);
    expect(await opened).toMatchObject([{ to: virtualHost.amqpUrl }]);
  });

  test("none that accepts it ends the client's connection, and is told", async ({ connect, wireTo }) => {
    const [nowhere] = await freePorts(1);
    const { wire } = await wireTo(`amqp://127.0.0.1:${nowhere}`);
    const unreachable = once(wire, "unreachable");
    await expect(connect(wire.amqpUrl)).rejects.toThrow();
    expect(await unreachable).toMatchObject([{ id: 1 }, { code: "ECONNREFUSED" }]);
  });

  test("a URL that is none is refused at once", async ({ wireTo }) => {
    await expect(wireTo("no url")).rejects.toThrow(/Invalid URL/);
  });
});

async function unacked(management: Management, vhost: string): Promise<number> {
  const path = `/queues/${vhost}?disable_stats=true&enable_queue_totals=true`;
  const queues = await management<{ messages_unacknowledged: number }[]>("GET", path);
  return queues.reduce((sum, queue) => sum + queue.messages_unacknowledged, 0);
}
