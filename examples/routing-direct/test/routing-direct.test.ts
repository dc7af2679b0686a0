import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import amqp, { type Channel, type ConfirmChannel, type GetMessage } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { folder } from "../src/logins.ts";

scenarios();

const conflict = (channel: Channel) => channel.assertExchange("direct_logs", "direct", { durable: true });

manners({
  pub: { conflict },
  sub: { args: ["error"], wrong: [[]], stays: true, conflict },
});

const READY = " [*] Waiting for logs. To exit press CTRL+C";
// ms; for what the broker makes known by and by.
const bound = { timeout: 30_000 };

test("one key, many queues: each gets a copy", async ({ run }) => {
  const subscribers = [
    await subscribe(run, "error"),
    await subscribe(run, "error"),
    await subscribe(run, "warning", "error"),
  ];
  await publish(run, "error", "Disk full");
  await publish(run, "error", "Disk still full");
  for (const subscriber of subscribers) {
    await subscriber.printed(" [x] error: 'Disk still full'");
    expect(subscriber.lines).toEqual([READY, " [x] error: 'Disk full'", " [x] error: 'Disk still full'"]);
  }
});

test("many keys, one queue: all of them, in order, once", async ({ run }) => {
  const subscriber = await subscribe(run, "info", "warning", "error", "error");
  for (const severity of ["warning", "error", "info", "warning"]) await publish(run, severity, "Message");
  await publish(run, "info", "Last");
  await subscriber.printed(" [x] info: 'Last'");
  expect(subscriber.lines).toEqual([
    READY,
    " [x] warning: 'Message'",
    " [x] error: 'Message'",
    " [x] info: 'Message'",
    " [x] warning: 'Message'",
    " [x] info: 'Last'",
  ]);
});

test("an unbound key: nobody gets it", async ({ run, channel }) => {
  const literal = await subscribe(run, "#", "*");
  const subscriber = await subscribe(run, "error");
  const unbound = ["debug", "Error", "error ", "error.disk", "erro", ""];
  for (const key of unbound) channel.publish("direct_logs", key, Buffer.from("Lost"));
  await channel.waitForConfirms();
  await publish(run, "error", "Found");
  await publish(run, "#", "No wildcard");

  await subscriber.printed(" [x] error: 'Found'");
  await literal.printed(" [x] #: 'No wildcard'");
  expect(subscriber.lines).toEqual([READY, " [x] error: 'Found'"]);
  expect(literal.lines).toEqual([READY, " [x] #: 'No wildcard'"]);
});

test("the bindings are gone when the subscriber is", async ({ run, channel }) => {
  const returned: string[] = [];
  channel.on("return", ({ content }) => returned.push(content.toString()));
  const probe = async (text: string) => {
    channel.publish("direct_logs", "probe", Buffer.from(text), { mandatory: true });
    await channel.waitForConfirms();
  };
  const subscriber = await subscribe(run, "probe");
  await probe("bound");
  await subscriber.printed(" [x] probe: 'bound'");
  subscriber.press("^C");
  expect(await subscriber.exit).toEqual({ code: 0, signal: null });
  await probe("unbound");
  expect(returned).toEqual(["unbound"]);
});

test("a subscriber acknowledges nothing: the broker forgets what it has delivered", async ({
  broker,
  runWith,
  onTestFinished,
}) => {
  const { name, amqpUrl, delete: remove } = await broker.createVirtualHost();
  onTestFinished(remove);
  await runWith({ amqpUrl }, "sub", "error").printed(READY);
  const consumers = () => broker.management("GET", `/consumers/${name}`);
  await expect.poll(consumers, bound).toMatchObject([{ ack_required: false }]);
});

test("a severity that is too long for a routing key is turned down", async ({ run }) => {
  const longest = "ä".repeat(127);
  const subscriber = await subscribe(run, longest);
  await publish(run, longest, "254 bytes");
  await subscriber.printed(` [x] ${longest}: '254 bytes'`);
  for (const script of ["pub", "sub"]) {
    const program = run(script, "ä".repeat(128));
    expect(await program.exit).toEqual({ code: 2, signal: null });
    expect(program.errors[0]).toBe("A severity is a routing key, which has at most 255 bytes.");
  }
});

test("the official programs' exchange is the same", async ({ run, channel }) => {
  await channel.assertExchange("direct_logs", "direct", { durable: false });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "direct_logs", "warning");
  await publish(run, "warning", "for", "your", "receive_logs_direct");
  const message = (await channel.get(queue, { noAck: true })) as GetMessage;
  expect(message.content.toString()).toBe("for your receive_logs_direct");

  const subscriber = await subscribe(run, "warning");
  channel.publish("direct_logs", "warning", Buffer.from("from your emit_log_direct"));
  await subscriber.printed(" [x] warning: 'from your emit_log_direct'");
});

test("a message can't play tricks on the subscriber's terminal", async ({ run }) => {
  const subscriber = await subscribe(run, "\x1b[2J");
  await publish(run, "\x1b[2J", "line\nline");
  await subscriber.printed(" [x] \\x1b[2J: 'line\\nline'");
});

describe("least privilege", () => {
  test("each user may do its own job only, and both are gone after Ctrl-C", async ({
    run,
    channel,
    virtualHost,
    management,
  }) => {
    await channel.assertQueue("orders", { durable: true });
    const users = run("users");
    const [line = ""] = await users.printed(/^ \[\*] Made /);
    const names = /Made (publisher-\S+) and (subscriber-\S+)\./.exec(line)?.slice(1) as string[];
    const urls = Object.fromEntries(
      readdirSync(folder).map((role) => [role, readFileSync(join(folder, role), "utf8")]),
    );
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "publisher")).mode & 0o777).toBe(0o600);
    for (const url of Object.values(urls)) expect(line).not.toContain(new URL(url).password);

    const publish = (exchange: string) => async (channel: ConfirmChannel) => {
      channel.publish(exchange, "key", Buffer.from("text"));
      await channel.waitForConfirms();
    };
    const declare = (channel: Channel) => channel.assertExchange("direct_logs", "direct", { durable: false });
    const drop = (channel: Channel) => channel.deleteExchange("direct_logs");
    const listen = async (channel: Channel) => {
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.bindQueue(queue, "direct_logs", "key");
      await channel.consume(queue, () => {}, { noAck: true });
    };
    const steal = (channel: Channel) => channel.get("orders");
    const named = (channel: Channel) => channel.assertQueue("mine", { exclusive: true });
    const jobs = {
      publish: publish("direct_logs"),
      toAnyQueue: publish(""),
      declare,
      drop,
      listen,
      steal,
      named,
    };
    const may: Record<string, string[]> = { publisher: ["publish"], subscriber: ["listen"] };
    for (const [role, allowed] of Object.entries(may))
      for (const [job, work] of Object.entries(jobs)) {
        const outcome = await attempt(urls[role] as string, work);
        expect({ role, job, outcome }).toEqual({
          role,
          job,
          outcome: allowed.includes(job) ? "done" : expect.stringContaining("ACCESS_REFUSED"),
        });
      }

    users.press("^C");
    expect(await users.exit).toEqual({ code: 0, signal: null });
    expect(existsSync(folder)).toBe(false);
    for (const name of names)
      await expect(management("GET", `/users/${name}`)).rejects.toMatchObject({ status: 404 });
    expect(Object.values(urls).map((url) => new URL(url).pathname)).toEqual([
      `/${virtualHost.name}`,
      `/${virtualHost.name}`,
    ]);
  });

  test("without users, --as is turned down; without a management API, users is", async ({ run, runWith }) => {
    const wrong = [
      ["pub", "--as", "publisher"],
      ["sub", "--as", "../package.json", "error"],
      ["users", "guest"],
    ] as const;
    for (const [script, ...args] of wrong) {
      const program = run(script, ...args);
      expect(await program.exit).toEqual({ code: 2, signal: null });
      expect(program.errors).toHaveLength(3);
    }
    const users = runWith({ env: { RABBITMQ_MANAGEMENT_URL: "http://me:secret@127.0.0.1:1" } }, "users");
    expect(await users.exit).toEqual({ code: 1, signal: null });
    expect(users.lines).toEqual([
      expect.stringMatching(/^PUT http:\/\/127\.0\.0\.1:1\/api\/users\/publisher-\w+: .+$/),
    ]);
    expect(existsSync(folder)).toBe(false);
  });
});

/** Tries something as the user of a URL. */
async function attempt(url: string, work: (channel: ConfirmChannel) => Promise<unknown>): Promise<string> {
  const connection = await amqp.connect(url, { noDelay: true });
  connection.on("error", () => {});
  try {
    const channel = await connection.createConfirmChannel();
    const failed = new Promise<never>((_, reject) => channel.once("error", reject));
    await Promise.race([work(channel), failed]);
    return "done";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await connection.close();
  }
}

async function subscribe(run: Run, ...severities: string[]) {
  const subscriber = run("sub", ...severities);
  await subscriber.printed(READY);
  return subscriber;
}

/** Publishes a message, which the broker has put into all its queues when this returns. */
async function publish(run: Run, ...words: string[]) {
  const publisher = run("pub", ...words);
  expect(await publisher.exit, publisher.lines.join("\n")).toEqual({ code: 0, signal: null });
}
