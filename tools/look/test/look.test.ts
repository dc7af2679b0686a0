import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import amqp, { type ConfirmChannel } from "amqplib";
import { type Broker, freePorts, startBroker, type VirtualHost } from "broker";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { Looker } from "../src/looker.ts";
import type { Queue, Sight } from "../src/sight.ts";
import { fold } from "../src/window.ts";
import { run, type Script, until } from "./script.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const lag = "\n~ as RabbitMQ last counted it, some seconds ago. All other figures are exact.\n";

describe("what a broker holds", () => {
  let broker: Broker;
  let vhost: VirtualHost;
  let channel: ConfirmChannel;
  beforeAll(async () => {
    broker = await startBroker({ private: true });
  });
  afterAll(() => broker?.stop());
  beforeEach(async () => {
    vhost = await broker.createVirtualHost();
    const connection = await amqp.connect(vhost.amqpUrl, { noDelay: true });
    connection.on("error", () => {});
    channel = await connection.createConfirmChannel();
    channel.on("error", () => {});
  });
  afterEach(() => vhost.delete());

  const at = (env: NodeJS.ProcessEnv = {}) => ({
    AMQP_URL: vhost.amqpUrl,
    RABBITMQ_MANAGEMENT_URL: vhost.managementUrl,
    ...env,
  });
  const look = (args: string[] = [], env?: NodeJS.ProcessEnv) => run(args, at(env));
  const tree = async (env?: NodeJS.ProcessEnv) => {
    const { code, stdout, stderr } = await finished(look([], env));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.replace(`RabbitMQ ${broker.version}, virtual host ${vhost.name}\n`, "");
  };
  const sight = async (args: string[] = [], env?: NodeJS.ProcessEnv): Promise<Sight> => {
    const { code, stdout, stderr } = await finished(look(["--json", ...args], env));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const refusal = async (args: string[], env: NodeJS.ProcessEnv) => {
    const { code, stdout, stderr } = await finished(look(args, env));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
    for (const word of ["secret", "guest:", "    at "]) expect(stderr).not.toContain(word);
    return stderr;
  };
  /** An HTTP server that is no RabbitMQ, or one that lies. */
  const server = async (listener: RequestListener) => {
    const http = createServer(listener).listen(0, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => void http.close());
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  };

  test("nothing, in words", async () => {
    expect(await tree()).toBe("\nIt holds no queue, and no exchange of yours.\n");
  });

  test("exchanges, bindings with keys, and queues; each queue in full once", async () => {
    await channel.assertExchange("news", "topic", { durable: false });
    await channel.assertExchange("all", "fanout", { autoDelete: true });
    await channel.assertQueue("sport");
    await channel.assertQueue("weather", { autoDelete: true, maxPriority: 5 });
    await channel.bindQueue("sport", "news", "sport.#");
    await channel.bindQueue("sport", "news", "*.goal");
    await channel.bindQueue("weather", "all", "");
    await channel.bindQueue("weather", "amq.topic", "");
    expect(await tree()).toBe(`
exchange all (fanout, auto-delete)
└─ → queue weather (classic, auto-delete): 0 ready, 0 unacked, 0 consumers
     arguments: x-max-priority=5

exchange amq.topic (topic)
└─ "" → queue weather (see above)

exchange news (topic, transient)
├─ "*.goal" → queue sport (classic): 0 ready, 0 unacked, 0 consumers
└─ "sport.#" → queue sport (see above)
`);
  });

  test("headers, with their types and what x-match says", async () => {
    await channel.assertExchange("shipments", "headers", { internal: true });
    for (const [queue, headers] of Object.entries({
      "1": { destination: "New York", weight: 3, fragile: true },
      "2": { "x-match": "any", weight: "3", "x-ignored": 1 },
      "3": { "x-match": "all-with-x", "x-first": 1 },
      "4": { "x-match": "all" },
      "5": { "x-match": "any" },
    })) {
      await channel.assertQueue(queue);
      await channel.bindQueue(queue, "shipments", "", headers);
    }
    expect(
      (await tree())
        .replace(/: 0 ready, 0 unacked, 0 consumers/g, "")
        .split("\n")
        .sort(),
    ).toEqual(
      [
        "",
        "",
        "exchange shipments (headers, internal)",
        `├─ all of destination="New York", fragile=true, weight=3 → queue 1 (classic)`,
        `├─ any of weight="3" → queue 2 (classic)`,
        `├─ all-with-x of x-first=1 → queue 3 (classic)`,
        "├─ every message → queue 4 (classic)",
        "└─ no message → queue 5 (classic)",
      ]
        .sort()
        // In which order the broker has them depends on its version.
        .map((line) => expect.stringMatching(new RegExp(`${line.slice(2).replace(/[().]/g, "\\$&")}$`))),
    );
  });

  test("the default exchange, for queues that nothing else leads to", async () => {
    await channel.assertQueue("bound");
    await channel.bindQueue("bound", "amq.direct", "key");
    await channel.assertQueue("lonely");
    expect(await tree()).toBe(`
exchange amq.direct (direct)
└─ "key" → queue bound (classic): 0 ready, 0 unacked, 0 consumers

exchange (default): leads to every queue by its name; these have no other binding
└─ "lonely" → queue lonely (classic): 0 ready, 0 unacked, 0 consumers
`);
  });

  test("bindings between exchanges, alternate exchanges and where dead letters go, in words", async () => {
    await channel.assertExchange("lost", "fanout");
    await channel.assertExchange("in", "direct", { alternateExchange: "lost" });
    await channel.assertExchange("out", "direct", { alternateExchange: "nowhere" });
    await channel.bindExchange("out", "in", "key");
    await channel.assertQueue("work", {
      deadLetterExchange: "lost",
      deadLetterRoutingKey: "dead",
      messageTtl: 60_000,
    });
    await channel.assertQueue("retry", { deadLetterExchange: "" });
    await channel.assertQueue("typo", { deadLetterExchange: "morge" });
    for (const queue of ["work", "retry", "typo"]) await channel.bindQueue(queue, "out", queue);
    expect(await tree()).toBe(`
exchange in (direct)
│  what it can't route goes to exchange lost
└─ "key" → exchange out

exchange lost (fanout)
└─ no bindings

exchange out (direct)
│  what it can't route goes to exchange nowhere, which does not exist
├─ "retry" → queue retry (classic): 0 ready, 0 unacked, 0 consumers
│    dead letters go to the default exchange
├─ "typo" → queue typo (classic): 0 ready, 0 unacked, 0 consumers
│    dead letters go to exchange morge, which does not exist
└─ "work" → queue work (classic): 0 ready, 0 unacked, 0 consumers
     dead letters go to exchange lost with key "dead"
     arguments: x-message-ttl=60000
`);
  });

  test("what a policy sets", async () => {
    await channel.assertExchange("morgue", "fanout");
    await channel.assertQueue("work");
    await broker.management("PUT", `/policies/${vhost.name}/bury`, {
      pattern: "^work$",
      definition: { "dead-letter-exchange": "morgue" },
    });
    await expect
      .poll(() => tree())
      .toContain(`
     dead letters go to exchange morgue
     policy: bury dead-letter-exchange="morgue"
`);
  });

  test("names that would command a terminal are shown, and stay what they are in JSON", async () => {
    // RabbitMQ takes line breaks out of these names, but not out of keys and arguments.
    const name = "a\x1b[2Jb\u202e\x9b";
    const value = "c\r\nd\x1b[2J";
    await channel.assertExchange(name, "headers", { alternateExchange: value });
    await channel.assertQueue(name, { deadLetterExchange: value, arguments: { [value]: value } });
    await channel.bindQueue(name, name, value, { [value]: value });
    await channel.bindQueue(name, "amq.topic", value);
    expect(await tree()).toBe(
      String.raw`
exchange a\x1b[2Jb\u202e\x9b (headers)
│  what it can't route goes to exchange c\r\nd\x1b[2J, which does not exist
└─ all of c\r\nd\x1b[2J="c\r\nd\u001b[2J" → queue a\x1b[2Jb\u202e\x9b (classic): 0 ready, 0 unacked, 0 consumers
     dead letters go to exchange c\r\nd\x1b[2J, which does not exist
     arguments: c\r\nd\x1b[2J="c\r\nd\u001b[2J"

exchange amq.topic (topic)
└─ "c\r\nd\u001b[2J" → queue a\x1b[2Jb\u202e\x9b (see above)
`,
    );
    const { exchanges, queues } = await sight();
    expect(queues.map((queue) => queue.name)).toEqual([name]);
    expect(exchanges[0]?.bindings).toEqual([
      { key: value, arguments: { [value]: value }, to: "queue", name },
    ]);
  });

  test("figures are those of this moment, or said to lag", async () => {
    // In this process: while another one starts, figures that lag would arrive.
    for (const [variable, url] of Object.entries(at())) vi.stubEnv(variable, url);
    const looker = new Looker();
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await looker.close();
    });
    for (const type of ["classic", "quorum", "stream"])
      await channel.assertQueue(type, { arguments: { "x-queue-type": type } });
    await channel.assertQueue("exclusive", { exclusive: true });
    await channel.prefetch(2);
    const figures = async () => {
      const { queues } = await looker.look();
      return Object.fromEntries(
        queues.map(({ name, mayLag, ...queue }) => [
          name,
          {
            mayLag,
            ...Object.fromEntries(
              (["ready", "unacked", "consumers"] as const)
                .filter((figure) => !mayLag.includes(figure))
                .map((figure) => [figure, queue[figure]]),
            ),
          },
        ]),
      );
    };
    const asked = ["classic", "quorum", "exclusive"];
    // Each look comes right after the change, when the API's own counts are those of seconds before.
    for (const count of [3, 5]) {
      for (const queue of asked)
        while ((await channel.checkQueue(queue)).messageCount < count) {
          channel.sendToQueue(queue, Buffer.from("x"));
          await channel.waitForConfirms();
        }
      expect(await figures()).toEqual({
        classic: { mayLag: [], ready: count, unacked: 0, consumers: 0 },
        quorum: { mayLag: ["unacked"], ready: count, consumers: 0 },
        exclusive: { mayLag: ["consumers"], ready: count, unacked: 0 },
        stream: { mayLag: ["ready", "unacked", "consumers"] },
      });
    }
    const arrivals = asked.map(async (queue) => {
      const bodies: string[] = [];
      await channel.consume(queue, (message) => void bodies.push(String(message?.content)));
      await until(() => bodies.length === 2);
    });
    await Promise.all(arrivals);
    expect(await figures()).toEqual({
      classic: { mayLag: [], ready: 3, unacked: 2, consumers: 1 },
      quorum: { mayLag: ["unacked"], ready: 3, consumers: 1 },
      exclusive: { mayLag: ["consumers"], ready: 3, unacked: 2 },
      stream: { mayLag: ["ready", "unacked", "consumers"] },
    });
    const printed = await tree();
    expect(printed).toContain("queue classic (classic): 3 ready, 2 unacked, 1 consumer\n");
    expect(printed).toMatch(/queue quorum \(quorum\): 3 ready, ~\d unacked, 1 consumer\n/);
    expect(printed).toMatch(
      /queue exclusive \(classic, exclusive\): 3 ready, 2 unacked, ~[\d?] consumers?\n/,
    );
    expect(printed).toMatch(/queue stream \(stream\): ~[\d?] ready, ~[\d?] unacked, ~[\d?] consumers\n/);
    expect(printed.endsWith(lag)).toBe(true);
    // What lags arrives.
    const laggards = async (): Promise<Partial<Queue>[]> => (await sight()).queues;
    await expect
      .poll(laggards, { timeout: 60_000 })
      .toEqual([
        expect.objectContaining({ name: "classic", unacked: 2 }),
        expect.objectContaining({ name: "exclusive", consumers: 1 }),
        expect.objectContaining({ name: "quorum", unacked: 2 }),
        expect.objectContaining({ name: "stream", ready: 0, consumers: 0 }),
      ]);
  });

  test.each(["argument", "policy"])("looking does not keep a queue that expires by %s", async (by) => {
    if (by === "policy")
      await broker.management("PUT", `/policies/${vhost.name}/short`, {
        pattern: ".*",
        definition: { expires: 5_000 },
        "apply-to": "queues",
      });
    const watching = look(["--watch", "--json"]);
    const queues = () => seen(watching).map((each) => each.queues.length);
    await expect.poll(queues).toContain(0);
    await channel.assertQueue("brief", by === "argument" ? { expires: 5_000 } : {});
    await expect.poll(queues).toContain(1);
    await expect.poll(() => queues().at(-1)).toBe(0);
  });

  test("without AMQP it says why, and what lags then", async () => {
    await channel.assertQueue("work");
    const [port] = (await freePorts(1)) as [number];
    const printed = await tree({ AMQP_URL: `amqp://someone:secret@127.0.0.1:${port}/${vhost.name}` });
    expect(printed).toMatch(/queue work \(classic\): 0 ready, 0 unacked, ~[0?] consumers\n/);
    expect(
      printed.endsWith(
        `${lag}AMQP at 127.0.0.1:${port} can't be asked: ECONNREFUSED. So more figures have a ~.\n`,
      ),
    ).toBe(true);
  });

  test("figures are not those of another broker", async () => {
    await channel.assertQueue("work");
    const url = await server(async (request, response) => {
      const answer = await fetch(
        new URL(request.url as string, vhost.managementUrl).href.replace(/\/\/.*@/, "//"),
        {
          headers: { authorization: request.headers.authorization as string },
        },
      );
      response.end((await answer.text()).replace(/"cluster_name":"[^"]*"/, '"cluster_name":"elsewhere"'));
    });
    const { queues, remark } = await sight([], { RABBITMQ_MANAGEMENT_URL: url });
    expect(queues).toMatchObject([{ ready: 0, mayLag: ["consumers"] }]);
    expect(remark).toMatch(/is another broker: .*, but elsewhere /);
  });

  test("--vhost chooses another virtual host, whatever its name", async () => {
    const other = await broker.createVirtualHost("a/b c%é");
    const connection = await amqp.connect(other.amqpUrl, { noDelay: true });
    await (await connection.createChannel()).assertQueue("there");
    expect(await sight(["--vhost", "a/b c%é"])).toMatchObject({
      vhost: "a/b c%é",
      queues: [{ name: "there", mayLag: [] }],
    });
    await connection.close();
    await other.delete();
  });

  test("what can't be seen, and why", async () => {
    const [port] = (await freePorts(1)) as [number];
    const nobody = `http://guest:secret@127.0.0.1:${port}`;
    expect(await refusal([], { RABBITMQ_MANAGEMENT_URL: nobody })).toMatch(
      /^RabbitMQ runs at .*, but its management API does not answer \(.*ECONNREFUSED\)\.\n.*rabbitmq-plugins enable/,
    );
    expect(
      await refusal([], {
        RABBITMQ_MANAGEMENT_URL: nobody,
        AMQP_URL: `amqp://guest:secret@127.0.0.1:${port}`,
      }),
    ).toMatch(/^No RabbitMQ to look into \(.*ECONNREFUSED\)\.\n.*pnpm broker/);

    const user = async (tags: string) => {
      const name = `secretive-${tags}`;
      await broker.management("PUT", `/users/${name}`, { password: "p@ß", tags });
      onTestFinished(() => void broker.management("DELETE", `/users/${name}`));
      const url = new URL(vhost.managementUrl);
      url.username = name;
      url.password = encodeURIComponent("p@ß");
      return url.href;
    };
    const wrong = new URL(vhost.managementUrl);
    wrong.password = "secret";
    expect(await refusal([], { RABBITMQ_MANAGEMENT_URL: wrong.href })).toMatch(
      /^The management API refused the user "guest" \(.*401.*\)\.\nAre user and password in/,
    );
    const untagged = await finished(look([], { RABBITMQ_MANAGEMENT_URL: await user("") }));
    expect(untagged).toMatchObject({ code: 1, stdout: "" });
    expect(untagged.stderr).toMatch(
      /^The user "secretive-" may not use.*\n`rabbitmqctl set_user_tags secretive- management`/,
    );
    const stranger = await finished(look([], { RABBITMQ_MANAGEMENT_URL: await user("management") }));
    expect(stranger).toMatchObject({ code: 1, stdout: "" });
    expect(stranger.stderr).toMatch(
      /^The user "secretive-management" sees no virtual host "vhost-.*\n.*set_permissions -p vhost-/,
    );
    for (const { stderr } of [untagged, stranger]) expect(stderr).not.toMatch(/p@|p%40/);
    expect(await refusal(["--vhost", "nope\x1b[2J"], {})).toMatch(
      /sees no virtual host "nope\\x1b\[2J" \(.*404/,
    );

    const page: RequestListener = (_, response) => response.end("<h1>Welcome\x1b[2J</h1>");
    const other = [await server(page), await server((_, response) => response.writeHead(404).end("\x1b[2J"))];
    for (const url of [...other, vhost.amqpUrl.replace(/^amqp:.*@(.*)\/.*/, "http://$1")]) {
      const said = await refusal([], { RABBITMQ_MANAGEMENT_URL: url });
      expect(said).toMatch(/is not RabbitMQ's management API \(/);
      expect(said).not.toContain("\x1b");
    }
    for (const variable of ["AMQP_URL", "RABBITMQ_MANAGEMENT_URL"])
      for (const url of ["guest:secret", "ftp://guest:secret@localhost", "http://guest:secret%zz@localhost"])
        expect(await refusal([], { [variable]: url })).toMatch(
          new RegExp(`^${variable} is not such a URL: expected`),
        );
  });

  test("--watch prints what changed, survives the broker's absence, and ends with 0 on Ctrl-C", async () => {
    await channel.assertQueue("first");
    const watching = look(["--watch"]);
    await until(() => watching.printed.includes("queue first"));
    await channel.assertQueue("second");
    await until(() => watching.printed.includes("queue second"));
    const [before, after] = watching.printed.split(/\n--- \d\d:\d\d:\d\d\n\n/);
    expect(before).toMatch(/^RabbitMQ .*queue first.* 0 consumers\n$/s);
    expect(after).toMatch(/^RabbitMQ .*queue first.*queue second.* 0 consumers\n$/s);

    await broker.settle();
    await broker.kill();
    // A question that was on its way may complain of the broken connection first.
    await until(() => watching.complained.includes("No RabbitMQ to look into ("));
    const printed = watching.printed.length;
    await broker.start();
    await until(() => watching.printed.slice(printed).includes("queue second"));
    watching.kill("SIGINT");
    expect((await finished(watching)).code).toBe(0);
  });

  test("--watch shows all figures in a window of 80 columns, and an error in full", async () => {
    const queue = `queue-with-a-long-name-${"n".repeat(30)}`;
    await channel.assertExchange("logs", "topic");
    await channel.assertQueue(queue, { arguments: { "x-max-length": 7 } });
    for (const key of ["kern.*", "*.critical"]) await channel.bindQueue(queue, "logs", key);
    const terminal = "data:text/javascript,Object.assign(process.stdout,{isTTY:true,columns:80,rows:40})";
    const watching = look(["--watch"], { NODE_OPTIONS: `--import ${terminal}` });
    const screen = () => watching.printed.split("\x1b[H").at(-1)?.replaceAll("\x1b[K", "") ?? "";
    await until(() => screen().endsWith("[?7h"));
    expect(screen()).toContain(
      `├─ "*.critical" → queue
│      ${queue} (classic): 0 ready,
│      0 unacked, 0 consumers
│    arguments: x-max-length=7
└─ "kern.*" → queue ${queue}
       (see above)
`,
    );
    await broker.settle();
    await broker.kill();
    await until(() => screen().startsWith("No RabbitMQ to look into (") && screen().endsWith("[?7h"));
    expect(screen().replaceAll(/\n +/g, " ")).toContain(
      "or set AMQP_URL and RABBITMQ_MANAGEMENT_URL to yours.",
    );
    for (const row of screen().split("\n"))
      expect(row.length).toBeLessThanOrEqual(80 + "\x1b[J\x1b[?7h".length);
    await broker.start();
  });

  test("--watch draws on a terminal, and leaves it as it was", async () => {
    for (let i = 0; i < 9; i++) await channel.assertQueue(`q${i}`);
    const terminal = "data:text/javascript,Object.assign(process.stdout,{isTTY:true,columns:90,rows:8})";
    const watching = look(["--watch"], { NODE_OPTIONS: `--import ${terminal}` });
    const screens = () => watching.printed.split("\x1b[H").slice(1);
    await until(() => screens().length > 2);
    await channel.deleteQueue("q0");
    await until(
      () =>
        screens().at(-1)?.includes('"q1"') &&
        !screens().at(-1)?.includes('"q0"') &&
        screens().at(-1)?.endsWith("[?7h"),
    );
    watching.kill("SIGTERM");
    expect((await finished(watching)).code).toBe(0);
    // Seven lines, and the cursor on the eighth and last.
    expect(screens()[0]?.split("\x1b[K\n")).toEqual([
      `RabbitMQ ${broker.version}, virtual host ${vhost.name}`,
      "",
      "exchange (default): leads to every queue by its name; these have no other binding",
      '├─ "q0" → queue q0 (classic): 0 ready, 0 unacked, 0 consumers',
      "… 8 more lines",
      "",
      "Looking every second. Press Ctrl-C to stop.",
      "\x1b[J\x1b[?7h\x1b[?7l",
    ]);
    expect(watching.printed.endsWith("Press Ctrl-C to stop.\x1b[K\n\x1b[J\x1b[?7h")).toBe(true);
  });

  test("--watch --json is a line for each change, for as long as somebody reads", async () => {
    await channel.assertQueue("work");
    const watching = look(["--watch", "--json"]);
    await until(() => seen(watching).length === 1);
    await channel.assertQueue("more");
    await until(() => seen(watching).at(-1)?.queues.length === 2);
    watching.stdout?.destroy();
    await channel.deleteQueue("more");
    const [code] = await once(watching, "exit");
    expect({ code, stderr: watching.complained }).toEqual({ code: 0, stderr: "" });
  });
});

test("look answers what it doesn't know with its usage", async () => {
  const { code, stdout, stderr } = await finished(run(["here"]));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/\nUsage: pnpm look \[--vhost NAME\] \[--watch\] \[--json\] \[--help\]\n$/);
});

test("look --help says what it shows and asks", async () => {
  const { code, stdout, stderr } = await finished(run(["--help"]));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const word of ["--vhost", "--watch", "--json", "AMQP_URL", "RABBITMQ_MANAGEMENT_URL"])
    expect(stdout).toContain(word);
});

test("a row is never wider than the window, and a tree's lines go on", () => {
  expect(fold("├─ one two three", 16)).toEqual(["├─ one two three"]);
  expect(fold("├─ one two three", 15)).toEqual(["├─ one two", "│      three"]);
  expect(fold("│  └─ one two", 12)).toEqual(["│  └─ on", "│         e", "│         tw", "│         o"]);
  expect(fold("└─ 日本語日本語", 12)).toEqual(["└─ 日本", "       語日", "       本語"]);
  expect(fold("", 10)).toEqual([""]);
});

const seen = (script: Script): Sight[] =>
  script.printed
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

async function finished(child: Script): Promise<{ code: number | null; stdout: string; stderr: string }> {
  if (child.exitCode === null) await once(child, "close");
  return { code: child.exitCode, stdout: child.printed, stderr: child.complained };
}
