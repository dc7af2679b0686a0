import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import amqp, { type Channel, type ConfirmChannel } from "amqplib";
import { manners, type Run, scenarios, test } from "testkit";
import { expect } from "vitest";
import { logins } from "../src/accounts.ts";
import type { Role } from "../src/topology.ts";

scenarios();

manners({
  users: {
    wrong: [["guest"]],
    stays: /^ \[\*] Created /,
    conflict: (channel) => channel.assertExchange("alerts", "direct"),
  },
});

/** What a user of the broker may want to do. Each runs on a channel of its own. */
const jobs = {
  publish: send("alerts", "disk.full"),
  publishWithAnotherKey: send("alerts", "cpu.hot"),
  publishToAnyQueue: send("", "orders"),
  declareTheExchange: (channel: Channel) => channel.assertExchange("alerts", "topic"),
  deleteTheExchange: (channel: Channel) => channel.deleteExchange("alerts"),
  subscribe: async (channel: Channel) => {
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "alerts", "#");
    await channel.consume(queue, () => {}, { noAck: true });
  },
  readAnotherQueue: (channel: Channel) => channel.get("orders"),
  declareAnotherQueue: (channel: Channel) => channel.assertQueue("mine", { exclusive: true }),
};

test("each user may do its own job and nothing else", async ({ run, channel }) => {
  await channel.assertQueue("orders", { durable: true });
  await createUsers(run);
  const allowed: Record<Role, string[]> = { publisher: ["publish"], subscriber: ["subscribe"] };
  for (const role of ["publisher", "subscriber"] as const)
    for (const [job, work] of Object.entries(jobs)) {
      const outcome = await attempt(readLogin(role), work);
      expect({ role, job, outcome }).toEqual({
        role,
        job,
        outcome: allowed[role].includes(job) ? "done" : expect.stringContaining("ACCESS_REFUSED"),
      });
    }
});

test("only their owner can read the logins, and no password is printed", async ({ run, virtualHost }) => {
  const { users } = await createUsers(run);
  const publisher = run("pub");
  await publisher.exit;
  expect(statSync(logins).mode & 0o777).toBe(0o700);
  for (const role of ["publisher", "subscriber"] as const) {
    expect(statSync(join(logins, role)).mode & 0o777).toBe(0o600);
    const { pathname, password } = new URL(readLogin(role));
    expect(pathname).toBe(`/${virtualHost.name}`);
    expect([...users.lines, ...publisher.lines].join()).not.toContain(password);
  }
});

test("Ctrl-C deletes both users and their logins", async ({ run, management }) => {
  const { users, names } = await createUsers(run);
  for (const name of names)
    expect(await management("GET", `/users/${name}`)).toMatchObject({ name, tags: [] });
  users.press("^C");
  expect(await users.exit).toEqual({ code: 0, signal: null });
  for (const name of names)
    await expect(management("GET", `/users/${name}`)).rejects.toMatchObject({ status: 404 });
  for (const role of ["publisher", "subscriber"]) expect(existsSync(join(logins, role))).toBe(false);
});

test("without a management API, users says so in a line", async ({ runWith }) => {
  for (const [url, line] of [
    ["http://me:secret@127.0.0.1:1", /^No management API at http:\/\/127\.0\.0\.1:1\. Enable .*\.$/],
    ["localhost:15672", /^RABBITMQ_MANAGEMENT_URL is not a URL such as .*\.$/],
  ] as const) {
    const users = runWith({ env: { RABBITMQ_MANAGEMENT_URL: url } }, "users");
    expect(await users.exit).toEqual({ code: 1, signal: null });
    expect(users.lines).toEqual([expect.stringMatching(line)]);
  }
});

test("when one step fails, users deletes what it has created", async ({ runWith, onTestFinished }) => {
  const requests: string[] = [];
  const api = createServer(({ method, url = "" }, response) => {
    requests.push(`${method} ${url.split("/")[2]}`);
    response.writeHead(url.startsWith("/api/permissions/") ? 403 : 204).end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void api.close());
  await once(api, "listening");

  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const users = runWith({ env: { RABBITMQ_MANAGEMENT_URL: url } }, "users");
  expect(await users.exit).toEqual({ code: 1, signal: null });
  expect(users.lines).toEqual([expect.stringMatching(/ refused PUT \/permissions\/\S+ \(403\)/)]);
  expect(requests).toEqual(["PUT users", "PUT permissions", "DELETE users", "DELETE users"]);
});

for (const [script, ...args] of [
  ["pub", "--as", "guest"],
  ["sub", "--as", "../package.json"],
  ["sub", "everything"],
  ["pub"],
  ["sub"],
])
  test(`without users, ${[script, ...args].join(" ")} is refused`, async ({ run }) => {
    const program = run(script as string, ...args);
    expect(await program.exit).toEqual({ code: 2, signal: null });
    expect(program.errors).toHaveLength(3);
    expect(program.errors[1]).toMatch(/^Usage: /);
  });

async function createUsers(run: Run) {
  const users = run("users");
  const [line = ""] = await users.printed(/^ \[\*] Created /);
  const names = /Created (publisher-\w+) and (subscriber-\w+)\./.exec(line)?.slice(1) ?? [];
  expect(names).toHaveLength(2);
  return { users, names };
}

const readLogin = (role: Role) => readFileSync(join(logins, role), "utf8");

function send(exchange: string, routingKey: string) {
  return async (channel: ConfirmChannel) => {
    channel.publish(exchange, routingKey, Buffer.from("text"));
    await channel.waitForConfirms();
  };
}

/** Does something as the user of a URL. Returns `done`, or the broker's refusal. */
async function attempt(url: string, work: (channel: ConfirmChannel) => Promise<unknown>): Promise<string> {
  const connection = await amqp.connect(url, { noDelay: true });
  connection.on("error", () => {});
  try {
    const channel = await connection.createConfirmChannel();
    const refused = new Promise<never>((_, reject) => channel.once("error", reject));
    await Promise.race([work(channel), refused]);
    return "done";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await connection.close();
  }
}
