import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import amqp from "amqplib";
import { freePorts } from "broker";
import { openProgram, openTerminal, readersEnvironment, type Terminal } from "stage";
import { describe, expect } from "vitest";
import { test as base } from "./fixtures.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ready = /^ \[\*] .* To exit press CTRL\+C$/;
const usage = "Usage: pnpm wire [--port N] [--to URL] [--json] [--help]";

const test = base.extend("wire", async ({ virtualHost }, { onCleanup }) => {
  const terminals: Terminal[] = [];
  onCleanup(async () => {
    await Promise.all(terminals.map((terminal) => terminal.close()));
  });
  return (args: string[] = [], env: NodeJS.ProcessEnv = { AMQP_URL: virtualHost.amqpUrl }) => {
    const terminal = openProgram(process.execPath, ["--import", "tsx", "tools/wire/src/cli.ts", ...args], {
      cwd: root,
      env: readersEnvironment(env),
    });
    terminals.push(terminal);
    return terminal;
  };
});

/** Waits until it is ready. Returns the address that it has printed. */
async function address(terminal: Terminal): Promise<string> {
  await terminal.printed(ready);
  const [line = ""] = await terminal.printed(/^AMQP_URL=/);
  return line.slice("AMQP_URL=".length);
}

test("prints what `hello send` and its broker say, as the README shows", async ({ virtualHost, wire }) => {
  const terminal = wire();
  const url = new URL(await address(terminal));
  const sending = openProgram(process.execPath, ["--import", "tsx", "src/send.ts"], {
    cwd: `${root}/examples/hello`,
    env: readersEnvironment({
      AMQP_URL: url.href,
      npm_package_name: "hello",
      npm_lifecycle_event: "send",
    }),
  });
  expect(await sending.exit).toEqual({ code: 0, signal: null });
  await terminal.printed("· disconnected");
  terminal.press("^C");
  expect(await terminal.exit).toEqual({ code: 0, signal: null });

  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, block = ""] = /```console\n\$ pnpm wire --port 5673\n(.*?)\n```/s.exec(readme) ?? [];
  // What is another's: the port, the login and the virtual host, the version, and the order of the mechanisms.
  const same = (line: string) =>
    line
      .replace(/^AMQP_URL=.*/, "AMQP_URL")
      .replace(/(product=RabbitMQ version)=\S+ mechanisms=.*/, "$1")
      .replace(`virtual-host=${virtualHost.name}`, "virtual-host=/");
  expect(terminal.lines.map(same)).toEqual(block.split("\n").map(same));
});

test("prints lines of JSON with bodies, and the address to stderr", async ({ channel, wire, connect }) => {
  const terminal = wire(["--json"]);
  const connection = await connect(await address(terminal));
  expect(terminal.errors).toHaveLength(2);
  const program = await connection.createConfirmChannel();
  await program.assertQueue("json");
  program.sendToQueue("json", Buffer.from("Größe"), { headers: { bytes: Buffer.from([1, 2]) } });
  program.sendToQueue("json", Buffer.from([0xff]));
  await program.waitForConfirms();
  await connection.close();
  await terminal.printed(/"event":"close"/);
  const lines = terminal.lines
    .filter((line) => !terminal.errors.includes(line))
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ event: "open", connection: 1 });
  expect(lines.filter(({ method }) => method === "basic.publish")).toMatchObject([
    {
      direction: "to-broker",
      channel: 1,
      fields: { routingKey: "json" },
      size: 7,
      body: "Größe",
      properties: { headers: { bytes: "AQI=" } },
    },
    { size: 1, bodyBase64: "/w==" },
  ]);
  await channel.deleteQueue("json");
});

test("prints what comes from outside as text, and no password", async ({ broker, virtualHost, wire }) => {
  const user = await broker.createUser({ vhost: virtualHost.name, configure: ".*", write: ".*", read: ".*" });
  const terminal = wire(["--to", user.amqpUrl]);
  const shown = await address(terminal);
  expect(shown).toContain(`${user.name}:PASSWORD@`);
  const connection = await amqp.connect(shown.replace("PASSWORD", user.password));
  const channel = await connection.createConfirmChannel();
  channel.publish("", "\x1b[2J\u202e", Buffer.from("\x1b]0;title\x07\n"));
  await channel.waitForConfirms();
  await connection.close();
  const [line] = await terminal.printed(/basic\.publish/);
  expect(line).toBe(
    String.raw`→ basic.publish exchange="" routing-key="\x1b[2J\u202e" 11 bytes "\x1b]0;title\x07\n"`,
  );
  expect(terminal.lines.join("\n")).not.toContain(user.password);
  await user.delete();
});

describe("ends", () => {
  test("with its reader, as `| head` does", async ({ virtualHost }) => {
    // head itself prints nothing before it has all of its lines.
    const head = `{ IFS= read -r first; echo "$first"; IFS= read -r second; echo "$second"; }`;
    const terminal = openTerminal(`node --import tsx tools/wire/src/cli.ts | ${head}; echo ended`, {
      cwd: root,
      env: readersEnvironment({ AMQP_URL: virtualHost.amqpUrl }),
    });
    await amqp.connect(await address(terminal)).catch(() => {});
    await terminal.printed("ended");
    expect(terminal.lines).toHaveLength(3);
    await terminal.close();
  });

  test("with two lines when nothing listens where it leads", async ({ wire }) => {
    const [port] = await freePorts(1);
    const terminal = wire(["--to", `amqp://me:secret@127.0.0.1:${port}/shop`]);
    expect(await terminal.exit).toEqual({ code: 1, signal: null });
    expect(terminal.lines).toEqual([
      `No RabbitMQ at amqp://me:PASSWORD@127.0.0.1:${port}/shop (connection refused).`,
      "Start one with `pnpm broker` or `docker compose up -d`, or name yours with --to.",
    ]);
  });

  test("with a line when its port is in use", async ({ wire }) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const terminal = wire(["--port", String(port)]);
    expect(await terminal.exit).toEqual({ code: 1, signal: null });
    expect(terminal.lines).toEqual([`Port ${port} is in use. Choose another with --port, or leave it out.`]);
    server.close();
  });

  test.for([
    [["--port", "amqp"], /^--port takes .* not "amqp"\.$/],
    [["--to", "http://me:secret@localhost"], /^--to is not the URL of a broker: expected amqp:/],
  ] as const)("with what is wrong and the usage: %j", async ([args, reason], { wire }) => {
    const terminal = wire([...args]);
    expect(await terminal.exit).toEqual({ code: 2, signal: null });
    expect(terminal.errors).toEqual([
      reason instanceof RegExp ? expect.stringMatching(reason) : reason,
      usage,
    ]);
  });

  test("with the usage on stdout: --help", async ({ wire }) => {
    const terminal = wire(["--help"]);
    expect(await terminal.exit).toEqual({ code: 0, signal: null });
    expect(terminal.errors).toEqual([]);
    for (const option of ["--port <N>", "--to <URL>", "--json"])
      expect(terminal.lines.join("\n")).toContain(option);
  });
});
