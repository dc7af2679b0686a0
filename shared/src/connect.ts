import { once } from "node:events";
import { basename } from "node:path";
import amqp, { type Channel, type ChannelModel, type RecoveringChannelModel } from "amqplib";
import { BrokerError, explain, isPassing } from "./broker-error.ts";
import { readTls } from "./tls.ts";

export interface ConnectOptions {
  /**
   * Where the broker is. By default what AMQP_URL says, else `amqp://localhost`. With `amqps:` the query may name an
   * authority to trust and a certificate of our own: see `readTls`.
   *
   * A cluster's nodes are given by their URLs with commas between them: `amqp://one,amqp://two`. They are tried in
   * turn, and a lost connection goes to the next. What the first one's query says about TLS holds for all.
   */
  url?: string | undefined;
  /** What the management page calls this connection. By default the name of the script. */
  name?: string | undefined;
  /**
   * Runs after every connection, the first one included. Open channels, declare the topology and subscribe here:
   * nothing of an old connection lives on in a new one.
   */
  setup?: ((connection: ChannelModel) => Promise<void>) | undefined;
}

/**
 * Opens a connection that mends itself.
 *
 * The first connection is tried four times within about two seconds, and each node of a cluster at least once. Once it
 * stood, a lost one is opened again for as long as it takes, first after 0.2 s, then at growing intervals up to 4 s,
 * each varied by a fifth so that a thousand clients don't return at the same moment. A line on stderr says when it was
 * lost, when it is back, and, once, why the broker refuses it meanwhile.
 *
 * @param options Where to, under which name, and what to do with each new connection.
 * @returns amqplib's connection. Its `createChannel` waits while the broker is away.
 * @throws {BrokerError} When the first connection fails, in words for the person at the terminal.
 */
export async function connect(options: ConnectOptions = {}): Promise<RecoveringChannelModel> {
  const { connection, ready } = await open(options);
  await ready;
  return connection;
}

/**
 * What `connect` does, for those who can't wait: `close()` ends the first attempt, too.
 *
 * @param options As for `connect`.
 * @param maxRetries How often a lost connection is tried again; 0 says nothing of the loss either.
 * @returns The connection at once; `ready` resolves when it stands and `setup` has run, and rejects as `connect` does.
 * @throws {BrokerError} When AMQP_URL is not a URL of a broker.
 */
export async function open(options: ConnectOptions, maxRetries = Number.POSITIVE_INFINITY): Promise<Opening> {
  const { nodes, shown, tls } = readUrls(options.url ?? process.env.AMQP_URL ?? "amqp://localhost");
  let away = false;
  // amqplib reads it at each attempt.
  const current = { ...nodes[0] };
  let attempts = 0;
  const connection = await amqp.connect(current, {
    // Without it, a small write that follows another waits 40 ms for a delayed TCP acknowledgement.
    noDelay: true,
    // ms; a host that swallows packets would hold us for minutes
    timeout: 10_000,
    clientProperties: { connection_name: options.name ?? scriptName() },
    ...tls,
    recovery: {
      waitForConnect: false,
      initialDelay: 200,
      maxDelay: 4_000,
      initialMaxRetries: Math.max(3, nodes.length - 1),
      maxRetries,
      async setup(model: ChannelModel) {
        mend(model);
        if (away) console.error(" [!] Connected again.");
        away = false;
        await options.setup?.(model);
      },
    },
  });
  connection.on("error", () => {});
  const turnToNext = () => Object.assign(current, nodes[++attempts % nodes.length]);
  connection.on("disconnect", turnToNext).on("connect-failed", turnToNext);

  let connected = false;
  let refusal: unknown;
  let told: string | undefined;
  connection.on("connect-failed", (error: unknown) => {
    // Nobody there is worth another try. A wrong password or a queue declared otherwise is not, at first.
    if (isPassing(error)) return;
    if (!connected) {
      refusal = error;
      void connection.close();
      return;
    }
    const why = explain(error, shown)?.message ?? String(error);
    if (why !== told) console.error(` [!] ${why}`);
    told = why;
  });
  connection.on("connect", () => {
    told = undefined;
  });
  const ready = connection.waitForConnect().then(
    () => {
      connected = true;
    },
    (error: unknown) => {
      throw explain(refusal ?? error, shown) ?? refusal ?? error;
    },
  );

  connection.on("disconnect", (error: Error) => {
    if (maxRetries === 0) return;
    away = true;
    console.error(` [!] Connection lost (${error.message}). Reconnecting ...`);
  });
  connection.on("blocked", (reason: string) =>
    console.error(` [!] RabbitMQ accepts no messages for now: ${reason}.`),
  );
  connection.on("unblocked", () => console.error(" [!] RabbitMQ accepts messages again."));
  return { connection, ready, shown, close: () => connection.close() };
}

export interface Opening {
  connection: RecoveringChannelModel;
  ready: Promise<void>;
  /** The broker's URL, or its nodes', without password. */
  shown: string;
  /** Closes the connection, or gives up connecting. */
  close: () => Promise<void>;
}

/**
 * An `error` that nobody listens for ends the process, and one on a channel takes its connection along. What there
 * is to say is said where it can be answered: by the rejected call, by `disconnect`, or by the channel's `close`.
 *
 * And `close` always settles. amqplib closes a connection whose setup has failed, and waits for that before it tries
 * again: it would wait for ever if the connection were lost meanwhile.
 */
function mend(connection: ChannelModel): void {
  connection.on("error", () => {});
  const close = connection.close.bind(connection);
  connection.close = () => closed(connection, close);
  const { createChannel, createConfirmChannel } = connection;
  connection.createChannel = async (options) => listened(await createChannel.call(connection, options));
  connection.createConfirmChannel = async (options) =>
    listened(await createConfirmChannel.call(connection, options));
}

const listened = <AnyChannel extends Channel>(channel: AnyChannel): AnyChannel =>
  channel.on("error", () => {});

/**
 * Closes a channel or a connection, whatever becomes of it meanwhile.
 *
 * @param what What is to be closed.
 * @param close How, if not by its own `close`.
 * @returns When it is closed. amqplib 2.3.1 leaves the promise of `close` unsettled for ever when the connection is lost
 *   before the broker has answered, and a Node process that waits for such a promise ends with exit code 13.
 */
export async function closed(what: Channel | ChannelModel, close = () => what.close()): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([once(what, "close", { signal: done.signal }), close()]);
  } catch {
    // It was closed already, or is lost.
  } finally {
    done.abort();
  }
}

function readUrls(urls: string) {
  // A comma may also be part of a password.
  const all = urls.split(/,(?=amqps?:)/).map(readUrl) as [Node, ...Node[]];
  return {
    nodes: all.map(({ node }) => node),
    shown: all.map(({ shown }) => shown).join(", "),
    tls: all[0].tls,
  };
}

type Node = ReturnType<typeof readUrl>;

function readUrl(url: string) {
  const expected = "expected amqp://user:password@host:5672/virtual-host or amqps://…";
  try {
    const { protocol, username, password, host, hostname, port, pathname, searchParams } = new URL(url);
    if (protocol !== "amqp:" && protocol !== "amqps:")
      throw new BrokerError(`AMQP_URL begins with ${protocol} but ${expected}.`);
    return {
      shown: `${protocol}//${username && `${username}@`}${host}${pathname}`,
      // amqplib takes the URL as text, too, but 2.3.1 then decodes %C3%A9 in a password as two letters.
      node: {
        ...Object.fromEntries(searchParams),
        protocol: protocol.slice(0, -1),
        hostname: hostname.replace(/^\[|\]$/g, ""),
        port: Number(port),
        username: decodeURIComponent(username) || "guest",
        password: username ? decodeURIComponent(password) : "guest",
        vhost: pathname.slice(1),
      },
      tls: protocol === "amqps:" ? readTls(searchParams) : {},
    };
  } catch (error) {
    // The value isn't repeated: it may hold a password.
    throw error instanceof BrokerError ? error : new BrokerError(`AMQP_URL is not a URL: ${expected}.`);
  }
}

function scriptName(): string {
  const { npm_package_name: pattern, npm_lifecycle_event: script } = process.env;
  return pattern && script ? `${pattern} ${script}` : basename(process.argv[1] ?? "node");
}
