import { styleText } from "node:util";
import { flag, port, readCommandLine, string, UsageError } from "cli";
import { text } from "shared";
import { describe, toJson } from "./describe.ts";
import { dial } from "./dial.ts";
import type { Connection } from "./line.ts";
import type { Said } from "./messages.ts";
import { openWire, type Wire } from "./wire.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
  const { to, port, json } = options;
  try {
    const [, socket] = await dial(to);
    socket.destroy();
  } catch (error) {
    complain(to, error as NodeJS.ErrnoException);
    return 1;
  }
  let wire: Wire;
  try {
    // Bytes: what a line shows is the beginning of a body.
    wire = await openWire(to, { ...(port !== undefined && { port }), keep: json ? 1024 * 1024 : 1024 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    console.error(`Port ${port} is in use. Choose another with --port, or leave it out.`);
    return 1;
  }
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve());
    // `| head` has seen enough.
    process.stdout.on("error", () => resolve());
  });
  const introduce = json ? console.error : console.log;
  introduce(`AMQP_URL=${withoutPassword(wire.amqpUrl)}`);
  introduce(" [*] Run a program with this variable in another terminal. To exit press CTRL+C");
  if (json) printJson(wire);
  else printLines(wire);
  wire.on("unreachable", (_connection, error) => complain(to, error));
  await stopped;
  await wire.close();
  return 0;
}

function printLines(wire: Wire): void {
  const { stdout } = process;
  const colours = stdout.isTTY && stdout.hasColors();
  const paint = (style: Parameters<typeof styleText>[0], words: string) =>
    colours ? styleText(style, words) : words;
  // A single program's lines need no number.
  const mark = ({ id }: Connection) => (id > 1 ? paint("dim", `[${id}] `) : "");
  const note = (connection: Connection, words: string) =>
    console.log(mark(connection) + paint("dim", `· ${words}`));

  wire.on("open", (connection) => note(connection, "connected"));
  wire.on("foreign", (connection) =>
    note(connection, `This is ${connection.protocol}, which is passed on unread.`),
  );
  wire.on("close", (connection) => note(connection, "disconnected"));
  wire.on("said", (said, connection) => {
    const { arrow, method, details } = describe(said, connection.protocol);
    const colour = said.method === "undecodable" ? "red" : said.direction === "to-broker" ? "green" : "cyan";
    const words = details.map((detail) => detail.replace(/^[\w-]+=/, (name) => paint("dim", name)));
    console.log([mark(connection) + paint(colour, `${arrow} ${method}`), ...words].join(" "));
  });
}

function printJson(wire: Wire): void {
  const print = (event: string, { id }: Connection, more: object) => {
    const line = { time: new Date(), event, connection: id };
    try {
      console.log(JSON.stringify({ ...line, ...more }, bytesAsBase64));
    } catch (error) {
      // A table may be nested more deeply than there is stack.
      const { method, direction } = more as Said;
      console.log(JSON.stringify({ ...line, direction, method, problem: (error as Error).message }));
    }
  };
  wire.on("open", (connection) => print("open", connection, { to: connection.name }));
  wire.on("foreign", (connection) => print("foreign", connection, { protocol: connection.protocol }));
  wire.on("close", (connection) => print("close", connection, {}));
  wire.on("said", (said, connection) => print("said", connection, toJson(said)));
}

function bytesAsBase64(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

function parse(args: string[]) {
  return readCommandLine(
    args,
    {
      name: "pnpm wire",
      about: "Prints what a program and its broker say to each other.",
      options: {
        port: port("The port on 127.0.0.1 where it begins. By default a free one"),
        to: string("URL", "The broker where it leads. By default AMQP_URL, else amqp://localhost"),
        json: flag("A line of JSON for each method, with all of its fields and its body"),
      },
    },
    ({ to, ...values }) => ({ ...values, to: readUrls(to) }),
  );
}

function readUrls(to: string | undefined): string[] {
  const [name, value] =
    to === undefined ? ["AMQP_URL", process.env.AMQP_URL ?? "amqp://localhost"] : ["--to", to];
  // A cluster's nodes, as `connect` of shared takes them.
  const urls = value.split(/,(?=amqps?:)/);
  // What is there may hold a password, so it is not repeated.
  if (!urls.every((url) => /^amqps?:\/\//.test(url) && URL.canParse(url)))
    throw new UsageError(
      `${name} is not the URL of a broker: expected amqp://user:password@host:5672/virtual-host`,
    );
  return urls;
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  const isGuest = shown.username === "guest" && shown.password === "guest";
  if (shown.password !== "" && !isGuest) shown.password = "PASSWORD";
  return text(shown.href);
}

function complain(to: string[], { code, message }: NodeJS.ErrnoException): void {
  const why = code === "ECONNREFUSED" ? "connection refused" : text(message || code || "no answer");
  console.error(`No RabbitMQ at ${to.map(withoutPassword).join(", ")} (${why}).`);
  console.error("Start one with `pnpm broker` or `docker compose up -d`, or name yours with --to.");
}
