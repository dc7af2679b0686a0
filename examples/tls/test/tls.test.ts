import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import amqp from "amqplib";
import { type Broker, startBroker } from "broker";
import { test as base, type Run, scenarios } from "testkit";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { folder, pathOf } from "../src/certificates.ts";
import { queue } from "../src/topology.ts";

scenarios();

const READY = ` [*] Waiting for messages in ${queue}. To exit press CTRL+C`;

/** The text of a certificate or of a key. */
const read = (name: string) => readFileSync(pathOf(name), "utf8");

/** `at(url)` runs scripts with the broker there. */
const test = base.extend(
  "at",
  ({ runWith }) =>
    (url: string): Run =>
    (script, ...args) =>
      runWith({ env: { AMQPS_URL: url } }, script, ...args),
);

/** Runs a script that ends by itself, and tells how. */
async function outcome(run: Run, script: string, ...args: string[]) {
  const terminal = run(script, ...args);
  const { code } = await terminal.exit;
  return { code, lines: terminal.lines, errors: terminal.errors };
}

test("make-certificates: for their owner only, by two authorities whose keys are gone", async ({ run }) => {
  expect((await outcome(run, "make-certificates")).code).toBe(0);
  const first = read("ca");
  expect((await outcome(run, "make-certificates")).code).toBe(0);
  expect(read("ca")).not.toBe(first);

  const files = readdirSync(folder);
  expect(files).not.toContain("ca-key.pem");
  expect(files).not.toContain("stranger-key.pem");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const keys = files.filter((file) => file.endsWith("-key.pem"));
  expect(keys).toHaveLength(4);
  for (const key of keys) expect(statSync(`${folder}/${key}`).mode & 0o777, key).toBe(0o600);

  const [ca, stranger] = ["ca", "stranger"].map((name) => new X509Certificate(read(name)));
  for (const key of keys) {
    const certificate = new X509Certificate(read(key.replace("-key.pem", "")));
    const impostor = key.startsWith("impostor");
    expect(certificate.verify((impostor ? stranger : ca)?.publicKey as never), key).toBe(true);
    expect(certificate.ca, key).toBe(false);
  }
  expect(new Date(new X509Certificate(read("expired")).validTo).getTime()).toBeLessThan(Date.now());
});

test("make-certificates twice at once: all are of one authority", async ({ run }) => {
  const outcomes = await Promise.all([1, 2, 3].map(() => outcome(run, "make-certificates")));
  for (const { code, errors } of outcomes) expect({ code, errors }).toEqual({ code: 0, errors: [] });
  const { publicKey } = new X509Certificate(read("ca"));
  for (const name of ["server", "expired", "billing"])
    expect(new X509Certificate(read(name)).verify(publicKey), name).toBe(true);
  expect(readdirSync(join(folder, "..")).filter((name) => name.startsWith("certificates"))).toEqual([
    "certificates",
  ]);
});

describe("with a broker that speaks TLS", () => {
  let broker: Broker;
  let url: string;
  beforeAll(async () => {
    execFileSync(process.execPath, ["--import", "tsx", "src/make-certificates.ts"]);
    const tls = { ca: read("ca"), certificate: read("server"), key: read("server-key") };
    broker = await startBroker({ private: true, tls });
    url = broker.amqpsUrl as string;
    await broker.management("PUT", "/users/billing", { password_hash: "", tags: "" });
    const everything = { configure: ".*", write: ".*", read: ".*" };
    await broker.management("PUT", "/permissions/%2F/billing", everything);
  });
  afterAll(() => broker?.stop());

  test("the broker sees TLS, and who has logged in how", async ({ at }) => {
    const receivers = [at(url)("receive"), at(url)("receive", "--as", "billing")];
    for (const receiver of receivers) await receiver.printed(READY);
    const connections = async () =>
      (await broker.management<Record<string, unknown>[]>("GET", "/connections")).map(
        ({ user, auth_mechanism, ssl }) => ({
          user,
          auth_mechanism,
          ssl,
        }),
      );
    await expect.poll(connections).toHaveLength(2);
    expect(await connections()).toEqual(
      expect.arrayContaining([
        { user: "guest", auth_mechanism: "PLAIN", ssl: true },
        { user: "billing", auth_mechanism: "EXTERNAL", ssl: true },
      ]),
    );
    for (const receiver of receivers) {
      receiver.press("^C");
      expect(await receiver.exit).toEqual({ code: 0, signal: null });
    }
  });

  test("a message's sender can be relied on", async ({ at }) => {
    const receiver = at(url)("receive");
    await receiver.printed(READY);
    expect(await outcome(at(url), "send", "--as", "billing", "\x1b[2J")).toMatchObject({ code: 0 });
    await receiver.printed(" [x] Received \\x1b[2J from billing");

    const connection = await amqp.connect(url, { ca: read("ca") });
    const channel = await connection.createConfirmChannel();
    const [error] = await Promise.all([
      once(channel, "error"),
      new Promise((resolve) =>
        channel.sendToQueue(queue, Buffer.from("lie"), { userId: "billing" }, resolve),
      ),
    ]);
    expect(String(error)).toMatch(
      /PRECONDITION_FAILED - user_id property set to 'billing' but authenticated user was 'guest'/,
    );
    await connection.close();
    expect(receiver.lines).toEqual([READY, " [x] Received \\x1b[2J from billing"]);
  });

  test("without a user of that name, a certificate opens nothing", async ({ at }) => {
    await broker.management("DELETE", "/users/billing");
    const { code, lines } = await outcome(at(url), "send", "--as", "billing");
    expect(code).toBe(1);
    expect(lines).toEqual([`${url} refused the login. Is there a user with the name in our certificate?`]);
  });

  test.for<[string[], RegExp]>([
    [
      ["--trust", "stranger"],
      /^amqps:\S+ shows a certificate of an unknown authority \(self-signed certificate in/,
    ],
    [
      ["--host", "127.0.0.1"],
      /^amqps:\/\/127\.0\.0\.1:\d+ shows a certificate for another host: DNS:localhost\./,
    ],
    [["--as", "impostor"], /^amqps:\S+ refused our certificate, or requires one \(/],
  ])("%j is refused in one line, by send and by receive", async ([args, expected], { at }) => {
    for (const script of ["send", "receive"]) {
      const { code, lines, errors } = await outcome(at(url), script, ...args);
      expect({ script, code, lines: lines.length }, lines.join("\n")).toEqual({ script, code: 1, lines: 1 });
      expect(errors[0]).toMatch(expected);
    }
  });

  test("a port that speaks no TLS", async ({ at }) => {
    const plain = `amqps://localhost:${new URL(broker.amqpUrl).port}`;
    const { code, lines } = await outcome(at(plain), "send");
    expect(code).toBe(1);
    expect(lines).toEqual([
      `${plain} doesn't speak TLS on this port. RabbitMQ's port for amqps: is usually 5671.`,
    ]);
  });
});

test("no broker: two lines", async ({ at }) => {
  const { code, errors } = await outcome(at("amqps://localhost:1"), "send");
  expect(code).toBe(1);
  expect(errors).toEqual(["No RabbitMQ at amqps://localhost:1 (connection refused).", expect.any(String)]);
});

test("an AMQPS_URL without TLS, or that is none: a line", async ({ at }) => {
  for (const url of ["amqp://me:secret@localhost", "//me:secret@localhost"])
    for (const script of ["send", "receive"]) {
      const { code, lines } = await outcome(at(url), script);
      expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringMatching(/^AMQPS_URL is not/)] });
    }
});

test("wrong arguments: the usage", async ({ run }) => {
  const wrong = [
    ["make-certificates", "now"],
    ["receive", "this"],
    ["receive", "--trust"],
    ["receive", "--trust", "nobody"],
    ["receive", "--as", "\x1b[2J"],
    ["receive", "--as", "ca"],
    ["send", "--as", "n".repeat(300)],
    ["send", "--host", "h".repeat(64)],
    ["send", "--host", "host.".repeat(60)],
    ["send", "--host", "localhost:5672"],
    ["send", "--host", ""],
    ["send", "--password"],
  ] as [string, ...string[]][];
  for (const [script, ...args] of wrong) {
    const { code, lines, errors } = await outcome(run, script, ...args);
    expect({ code, lines }, `${script} ${args}`).toEqual({ code: 2, lines: errors });
    expect(errors[1]).toMatch(new RegExp(`^Usage: .* ${script}\\b`));
    expect(errors.join("\n")).not.toContain("\x1b");
  }
});
