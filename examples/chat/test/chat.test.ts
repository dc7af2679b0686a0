import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import amqp, { type Channel, type ConsumeMessage, type Options } from "amqplib";
import { openProgram, readersEnvironment } from "stage";
import { test as base, manners, scenarios } from "testkit";
import { describe, expect, vi } from "vitest";
import { openInbox } from "../src/messages.ts";
import { declareInbox, isName, queueOf } from "../src/topology.ts";

scenarios();

manners({
  chat: {
    args: ["Jean", "Pierre"],
    wrong: [
      [],
      ["Jean"],
      ["Jean", "Jean"],
      ["Jean", "Pierre", "Marie"],
      ["Jean", "a.b"],
      ["\x1b[2J", "Jean"],
    ],
    stays: true,
    conflict: (channel) =>
      channel.assertQueue(queueOf("Pierre"), { arguments: { "x-queue-type": "quorum" } }),
  },
});

const test = base
  // Jean's and Pierre's queues are there, and empty.
  .extend("emptied", { auto: true }, async ({ channel }) => {
    for (const name of ["Jean", "Pierre"]) {
      await channel.deleteQueue(queueOf(name));
      await declareInbox(channel, name);
    }
  })
  // Fills Pierre's queue, which refuses more from then until the test ends or `widen` is called.
  .extend("fillUp", async ({ management, virtualHost }, { onCleanup }) => {
    const policy = `/policies/${virtualHost.name}/full`;
    const widen = () => management<void>("DELETE", policy);
    onCleanup(() => widen().catch(() => {}));
    return async () => {
      const definition = { "max-length": 1, overflow: "reject-publish" };
      await management("PUT", policy, { pattern: "^Pierre_queue$", "apply-to": "queues", definition });
      // RabbitMQ 3.10 goes on refusing what comes on a channel that it has refused once.
      const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
      const channel = await connection.createConfirmChannel();
      const publish = async () => {
        send(channel, "Pierre", "full");
        await channel.waitForConfirms();
      };
      // A quorum queue takes a few more than its limit.
      await expect.poll(() => publish().catch((error: Error) => error.message)).toBe("message nacked");
      await connection.close();
      return widen;
    };
  })
  // Cuts the connections of the scripts, and not the test's own.
  .extend("cut", ({ management, virtualHost }) => async () => {
    type Connection = { name: string; client_properties?: { connection_name?: string } };
    const find = async () => {
      const connections = await management<Connection[]>("GET", `/vhosts/${virtualHost.name}/connections`);
      return connections.filter((each) => each.client_properties?.connection_name === "chat chat");
    };
    await expect.poll(find, { timeout: 15_000 }).not.toEqual([]);
    for (const { name } of await find())
      await management("DELETE", `/connections/${encodeURIComponent(name)}`);
  })
  .extend("jean", ({ run }) => {
    return () => run("chat", "Jean", "Pierre");
  })
  .extend("pierre", ({ run }) => {
    return () => run("chat", "Pierre", "Jean");
  });

const ready = {
  jean: " [*] Jean, you are talking to Pierre. To leave, type /quit",
  pierre: " [*] Pierre, you are talking to Jean. To leave, type /quit",
};
const left = { code: 0, signal: null };

test("names are letters and digits of any script, 32 at most", () => {
  for (const name of ["Jean", "7", "Zoë", "Zoe\u0308", "李雷", "jean-luc_2", "x".repeat(32)])
    expect(isName(name), name).toBe(true);
  for (const name of [
    "",
    " ",
    "_",
    "-x",
    "a b",
    "a.b",
    "a/b",
    "x\n",
    "x\u202e",
    "x".repeat(33),
    7,
    undefined,
  ])
    expect(isName(name), String(name)).toBe(false);
});

/** util-linux has a `script` that runs a command on a terminal of its own. */
const hasTerminals = spawnSync("script", ["--version"]).stdout?.includes("util-linux") ?? false;

test.skipIf(!hasTerminals)(
  "Ctrl-Z gives the terminal back to the shell, and fg to the chat",
  async ({ virtualHost, onTestFinished }) => {
    // What a reader has: a shell with job control, and pnpm between it and the chat.
    const shell = openProgram("script", ["-qec", "sh -i", "/dev/null"], {
      cwd: join(import.meta.dirname, "../../.."),
      env: readersEnvironment({ AMQP_URL: virtualHost.amqpUrl, PS1: "shell> ", TERM: "dumb" }),
    });
    onTestFinished(() => shell.close());
    shell.type("pnpm --filter chat chat Jean Pierre");
    await shell.printed(/you are talking to Pierre/);
    shell.type("\x1a");
    await shell.printed(/Stopped/);
    shell.type("echo back in the $((1)) shell");
    await shell.printed(/^back in the 1 shell/);
    shell.type("fg");
    await shell.printed(/pnpm --filter chat chat Jean Pierre/, { times: 2 });
    shell.type("Salut");
    await shell.printed(/\u2713 Salut/);
    shell.type("/quit");
    shell.type("exit");
    expect((await shell.exit).signal).toBe(null);
  },
);

describe("a message", () => {
  test("is persistent, has an id, and says what it is and who it is from", async ({ channel, jean }) => {
    const writer = jean();
    writer.type("Hé!");
    writer.type("Hé!");
    await writer.printed(" ✓ Hé!", { times: 2 });
    const messages = await take(channel, "Pierre");
    expect(messages.map(({ content }) => content.toString())).toEqual(["Hé!", "Hé!"]);
    for (const { properties } of messages)
      expect(properties).toMatchObject({
        deliveryMode: 2,
        contentType: "text/plain",
        headers: { from: "Jean" },
      });
    expect(new Set(messages.map(({ properties }) => properties.messageId)).size).toBe(2);
  });

  test("reaches somebody whose name was written in another normal form", async ({ channel, run }) => {
    const writer = run("chat", "Jean", "Zoe\u0308");
    writer.type("Salut!");
    await writer.printed(" ✓ Salut!");
    expect(await drain(channel, "Zo\u00eb")).toEqual(["Salut!"]);
  });

  test("is acknowledged when it has been shown", async ({ channel, management, virtualHost, pierre }) => {
    send(channel, "Pierre", "Hello");
    const reader = pierre();
    await reader.printed("Jean: Hello");
    await expect
      .poll(() => management("GET", `/consumers/${virtualHost.name}`), { timeout: 15_000 })
      .toMatchObject([{ queue: { name: "Pierre_queue" }, ack_required: true, prefetch_count: 100 }]);
    reader.press("^C");
    expect(await reader.exit).toEqual(left);
    expect(await drain(channel, "Pierre")).toEqual([]);
  });

  test("is not acknowledged before", async ({ channel, virtualHost }) => {
    vi.stubEnv("AMQP_URL", virtualHost.amqpUrl);
    send(channel, "Pierre", "Hello");
    let show: (line: string) => void = () => {};
    const shown = new Promise<string>((resolve) => {
      show = resolve;
    });
    // It begins to show the message, and gets no further.
    const showing = (line: string) => {
      show(line);
      return new Promise<void>(() => {});
    };
    const inbox = openInbox("Pierre", showing, console);
    expect(await shown).toBe("Jean: Hello");
    await inbox.close();
    vi.unstubAllEnvs();
    expect(await drain(channel, "Pierre")).toEqual(["Hello"]);
  });

  test("that can't be shown is not", async ({ channel, virtualHost }) => {
    const reader = chat(virtualHost.amqpUrl, "Pierre", "Jean");
    const errors = vi.fn();
    reader.stderr.on("data", errors);
    await once(reader.stdout, "data");
    // As `| head -1` does when it has its line.
    reader.stdout.destroy();
    send(channel, "Pierre", "Hello");
    expect(await once(reader, "close")).toEqual([1, null]);
    expect(errors).not.toHaveBeenCalled();
    await expect.poll(() => count(channel, "Pierre")).toBe(1);
  });

  test("that comes again is not shown again", async ({ channel, pierre }) => {
    const reader = pierre();
    await reader.printed(ready.pierre);
    const again = { messageId: "7" };
    for (const body of ["one", "two"]) send(channel, "Pierre", body, again);
    for (const body of ["three", "three"]) send(channel, "Pierre", body);
    await reader.printed("Jean: three", { times: 2 });
    expect(reader.lines).toEqual([ready.pierre, "Jean: one", "Jean: three", "Jean: three"]);
    reader.press("^C");
    await reader.exit;
    expect(await drain(channel, "Pierre")).toEqual([]);
  });

  test("can't play tricks on the reader's terminal, whatever it is made of", async ({ channel, pierre }) => {
    const long = "x".repeat(2 ** 20);
    send(channel, "Pierre", "\x1b[2J\r\n ✓ paid\u202e");
    send(channel, "Pierre", Buffer.from([0x61, 0xff, 0xfe, 0x00]));
    send(channel, "Pierre", "");
    send(channel, "Pierre", long);
    for (const from of ["\x1b[2J", "Jean: hi\n", "", 7, null, { x: 1 }])
      send(channel, "Pierre", "from?", { headers: { from } });
    channel.sendToQueue(queueOf("Pierre"), Buffer.from("no headers"));
    const reader = pierre();
    await reader.printed("(somebody): no headers");
    expect(reader.lines).toEqual([
      ready.pierre,
      "Jean: \\x1b[2J\\r\\n ✓ paid\\u202e",
      "Jean: a\ufffd\ufffd\\x00",
      "Jean: ",
      `Jean: ${long}`,
      ...Array(6).fill("(somebody): from?"),
      "(somebody): no headers",
    ]);
    reader.press("^C");
    await reader.exit;
    expect(await drain(channel, "Pierre")).toEqual([]);
  });
});

describe("somebody who types", () => {
  test("from a pipe: all is sent in order, and the end waits for the last confirm", async ({
    channel,
    virtualHost,
  }) => {
    const typed = Array.from({ length: 1000 }, (_, n) => `Line ${n}`);
    // Without an end of the last line, and with an empty one that is not sent.
    const { code, lines, errors } = await piped(virtualHost.amqpUrl, `\n${typed.join("\r\n")}`);
    expect(lines).toEqual([ready.jean, ...typed.map((line) => ` ✓ ${line}`)]);
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    expect(await drain(channel, "Pierre")).toEqual(typed);
  });

  test("/quit: what comes before it is sent, and what comes after it is not", async ({ channel, jean }) => {
    const writer = jean();
    writer.type("/quit?\n  /quit \nnever");
    expect(await writer.exit).toEqual(left);
    expect(writer.lines).toEqual([ready.jean, " ✓ /quit?"]);
    expect(await drain(channel, "Pierre")).toEqual(["/quit?"]);
  });

  test("sees no ✓ before the confirm, and what is unconfirmed or refused is sent again", async ({
    channel,
    fillUp,
    cut,
    jean,
  }) => {
    const widen = await fillUp();
    const writer = jean();
    writer.type("one\ntwo");
    await writer.printed(/^ \[!\] RabbitMQ refused or returned messages\. Publishing \d again/);
    await cut();
    await writer.printed(" [!] Connected again.");
    expect(marked(writer.lines)).toEqual([]);
    await widen();
    await writer.printed(" ✓ two", { within: 30_000 });
    writer.type("/quit");
    expect(await writer.exit).toEqual(left);
    expect(marked(writer.lines)).toEqual([" ✓ one", " ✓ two"]);
    const bodies = (await drain(channel, "Pierre")).filter((body) => body !== "full");
    expect([...new Set(bodies)]).toEqual(["one", "two"]);
  });

  test("learns what was not confirmed, when they leave before it is", async ({ fillUp, jean }) => {
    await fillUp();
    for (const by of ["^C", "/quit"] as const) {
      const writer = jean();
      writer.type("one\nt\two");
      await writer.printed(/RabbitMQ refused/);
      if (by === "^C") writer.press(by);
      else writer.type(by);
      expect(await writer.exit).toEqual({ code: 1, signal: null });
      expect(writer.errors.slice(-2)).toEqual([
        expect.stringMatching(/^ \[!\] Not confirmed: one \(/),
        expect.stringMatching(/^ \[!\] Not confirmed: t\\two \(/),
      ]);
    }
  });

  test("a user who may not write learns it, and what was not sent", async ({
    broker,
    virtualHost,
    runWith,
  }) => {
    const user = await broker.createUser({ vhost: virtualHost.name, configure: ".*", write: "", read: ".*" });
    const writer = runWith({ amqpUrl: user.amqpUrl }, "chat", "Jean", "Pierre");
    writer.type("one\n/quit");
    expect(await writer.exit).toEqual({ code: 1, signal: null });
    expect(writer.errors).toEqual([expect.stringMatching(/^ \[!\] Not confirmed: one \(.* refused/)]);
    await user.delete();
  });
});

test("a queue that is deleted while they talk is declared again, and no message is dropped", async ({
  channel,
  jean,
}) => {
  const writer = jean();
  await writer.printed(ready.jean);
  await channel.deleteQueue(queueOf("Pierre"));
  writer.type("one\ntwo");
  await writer.printed(" ✓ two");
  expect(writer.errors[0]).toMatch(/^ \[!\] RabbitMQ refused or returned messages\./);
  expect(await drain(channel, "Pierre")).toEqual(["one", "two"]);
});

test("a second program for the same name is told to wait, and reads when the first has ended", async ({
  channel,
  pierre,
}) => {
  const first = pierre();
  await first.printed(ready.pierre);
  const second = pierre();
  await second.printed(ready.pierre);
  expect(second.errors).toEqual([
    " [!] Pierre is reading elsewhere. Messages come here once that program has ended.",
  ]);
  for (const number of [1, 2, 3, 4]) send(channel, "Pierre", `${number}`);
  await first.printed("Jean: 4");
  first.kill();
  send(channel, "Pierre", "5");
  await second.printed("Jean: 5");
  expect(first.lines).toEqual([ready.pierre, ...[1, 2, 3, 4].map((number) => `Jean: ${number}`)]);
});

test("three messages wait for Pierre through a restart of the broker, and nothing typed without one is lost", async ({
  privateBroker,
  runWith,
}) => {
  const run = (...names: string[]) => runWith({ amqpUrl: privateBroker.amqpUrl }, "chat", ...names);
  const jean = run("Jean", "Pierre");
  jean.type("one\ntwo\nthree");
  await jean.printed(" ✓ three");
  await privateBroker.settle();
  await privateBroker.kill();
  await jean.printed(/Connection lost/);
  jean.type("four\nfive");
  await privateBroker.start();
  await jean.printed(" ✓ five", { within: 45_000 });

  const pierre = run("Pierre", "Jean");
  pierre.type("Hello!");
  await pierre.printed("Jean: five");
  await jean.printed("Pierre: Hello!");
  const numbers = ["one", "two", "three", "four", "five"];
  expect(pierre.lines.filter((line) => line !== " ✓ Hello!")).toEqual([
    ready.pierre,
    ...numbers.map((number) => `Jean: ${number}`),
  ]);
  expect(jean.lines).toEqual([
    ready.jean,
    ...numbers.slice(0, 3).map((number) => ` ✓ ${number}`),
    expect.stringMatching(/^ \[!\] Connection lost/),
    " [!] Connected again.",
    ...numbers.slice(3).map((number) => ` ✓ ${number}`),
    "Pierre: Hello!",
  ]);
});

function send(channel: Channel, name: string, body: string | Buffer, options: Options.Publish = {}) {
  channel.sendToQueue(queueOf(name), Buffer.from(body as string), { headers: { from: "Jean" }, ...options });
}

const count = async (channel: Channel, name: string) =>
  (await channel.checkQueue(queueOf(name))).messageCount;

/** Takes out all that waits for somebody. (From such a queue the broker allows no `get`.) */
async function take(channel: Channel, name: string): Promise<ConsumeMessage[]> {
  const messages: ConsumeMessage[] = [];
  const consumerTag = randomUUID();
  const last = new Promise<void>((resolve) => {
    const onMessage = (message: ConsumeMessage | null) => {
      if (message?.properties.messageId === consumerTag) resolve();
      else if (message) messages.push(message);
    };
    void channel.consume(queueOf(name), onMessage, { noAck: true, consumerTag });
  });
  send(channel, name, "", { messageId: consumerTag });
  await last;
  await channel.cancel(consumerTag);
  return messages;
}

const drain = async (channel: Channel, name: string) =>
  (await take(channel, name)).map(({ content }) => content.toString());

const marked = (lines: string[]) => lines.filter((line) => line.includes("✓"));

/** The script with pipes that a test can end. */
function chat(amqpUrl: string, ...names: string[]) {
  return spawn(process.execPath, ["--import", "tsx", "src/chat.ts", ...names], {
    env: { ...process.env, AMQP_URL: amqpUrl },
  });
}

/** What Jean's program prints when its input is this, and no more. */
async function piped(amqpUrl: string, input: string) {
  const program = chat(amqpUrl, "Jean", "Pierre");
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    program[name].setEncoding("utf8").on("data", (chunk: string) => {
      printed[name] += chunk;
    });
  program.stdin.end(input);
  const [code] = await once(program, "close");
  const lines = (text: string) => text.split("\n").slice(0, -1);
  return { code, lines: lines(printed.stdout), errors: lines(printed.stderr) };
}
