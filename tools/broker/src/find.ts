import { type Broker, type BrokerPlace, brokerAt } from "./broker.ts";
import { findImage, image, startDocker } from "./docker.ts";
import { findInstallWay, install } from "./install.ts";
import { findInstallation, identityOf, startNative } from "./native.ts";
import type { NodeOptions, StartOptions } from "./options.ts";
import { handshake, versionAt } from "./ready.ts";

export interface FoundBroker {
  kind: "url" | "docker" | "native" | "install";
  /** What the results of tests depend on: "RabbitMQ 3.10.8 native", "rabbitmq:4-management sha256:…". */
  identity: string;
}

export interface BrokerWay {
  kind: FoundBroker["kind"];
  /** Says what would be started, and starts nothing. Rejects with the reason, in one line, when it can't be. */
  find(): Promise<string>;
  start(options: NodeOptions): Promise<BrokerPlace>;
}

const byUrl: BrokerWay = {
  kind: "url",
  find: async () => (await byUrl.start({})).identity,
  async start() {
    const { amqpUrl, managementUrl } = urls();
    await handshake(amqpUrl);
    const version = await versionAt(managementUrl);
    const notOurs = async () => {
      throw new Error("The broker at AMQP_URL is not ours to kill. Ask for a private one.");
    };
    return {
      amqpUrl,
      managementUrl,
      version,
      identity: `RabbitMQ ${version} by AMQP_URL`,
      description: `RabbitMQ ${version} at AMQP_URL, ${new URL(amqpUrl).host}`,
      settle: notOurs,
      memoryAlarm: notOurs,
      kill: notOurs,
      start: notOurs,
      stop: async () => {},
    };
  },
};

const docker: BrokerWay = {
  kind: "docker",
  find: async () => `${image()} ${(await findImage()) ?? "(to be pulled)"}`,
  start: startDocker,
};

export const native: BrokerWay = {
  kind: "native",
  find: async () => identityOf(findInstallation()),
  start: (options) => startNative(findInstallation(), options),
};

const installing: BrokerWay = {
  kind: "install",
  async find() {
    if (await isHere(native)) throw new Error("it is installed already");
    findInstallWay();
    return "RabbitMQ, to be installed";
  },
  async start(options) {
    await installing.find();
    await install(options);
    return native.start(options);
  },
};

const isHere = (way: BrokerWay): Promise<boolean> =>
  way.find().then(
    () => true,
    () => false,
  );

/** The ways to a broker, in the order in which they are tried. */
function ways({ kind = forced(), private: ownNode = false }: StartOptions): BrokerWay[] {
  const all = [docker, native, installing];
  const chosen = all.filter((way) => kind === undefined || (kind === "docker") === (way.kind === "docker"));
  return process.env.AMQP_URL && !ownNode ? [byUrl, ...chosen] : chosen;
}

function forced(): StartOptions["kind"] {
  const kind = process.env.BROKER;
  if (!kind) return undefined;
  if (kind !== "docker" && kind !== "native")
    throw new Error(`BROKER is "${kind}": expected "docker" or "native".`);
  return kind;
}

/**
 * Says which broker `startBroker` would use, and starts nothing.
 *
 * @param options As for `startBroker`.
 * @returns The first that is there, or could be.
 * @throws When there is none, with what was tried and what to install.
 */
export function findBroker(options: StartOptions = {}): Promise<FoundBroker> {
  return firstOf(options, async (way) => ({ kind: way.kind, identity: await way.find() }));
}

/**
 * Finds or starts a real RabbitMQ: the one at AMQP_URL (and RABBITMQ_MANAGEMENT_URL), else one in Docker, else a
 * private node of the RabbitMQ on this machine, else, on Debian and Ubuntu, one that is installed now. A way that
 * fails is said, and the next one tried.
 *
 * A broker that it started ends with `stop()`, or with this process, by whatever cause that ends.
 *
 * @returns The broker, answering.
 * @throws When there is none, with what was tried and what to install; or with the signal's reason.
 */
export function startBroker(options: StartOptions = {}): Promise<Broker> {
  return firstOf(options, async (way) => {
    const broker = brokerAt(await way.start(options));
    options.say?.(`Broker: ${broker.description}.`);
    return broker;
  });
}

/**
 * Tries one way to a broker after the other.
 *
 * @param options Which ways, and who hears why one fails.
 * @param attempt What to do with each, until it succeeds.
 * @throws As `startBroker`.
 */
export async function firstOf<T>(options: StartOptions, attempt: (way: BrokerWay) => Promise<T>): Promise<T> {
  const reasons: string[] = [];
  for (const way of ways(options)) {
    try {
      return await attempt(way);
    } catch (error) {
      options.signal?.throwIfAborted();
      // amqplib's AggregateError, for a host with several addresses, has a code but no message.
      const { message, code } = error as NodeJS.ErrnoException;
      const reason = `${names[way.kind]}: ${message || code}`;
      reasons.push(reason);
      // A node that didn't start has its log in the lines below.
      options.say?.(reason.split("\n", 1)[0] as string);
    }
  }
  throw new Error(["No RabbitMQ here, and none could be started.", ...reasons, help].join("\n"));
}

const names = {
  url: "AMQP_URL",
  docker: "Docker",
  native: "This machine's RabbitMQ",
  install: "Installing RabbitMQ",
};

const help = `Get one of these, and try again:
  Debian, Ubuntu   sudo apt-get install rabbitmq-server
  macOS            brew install rabbitmq
  Windows          choco install rabbitmq, then set AMQP_URL=amqp://localhost
  Docker           docker compose up -d --wait, then set AMQP_URL=amqp://localhost`;

function urls(): { amqpUrl: string; managementUrl: string } {
  const amqpUrl = process.env.AMQP_URL ?? "";
  // The value isn't repeated: it may hold a password.
  if (!URL.canParse(amqpUrl) || !/^amqps?:$/.test(new URL(amqpUrl).protocol))
    throw new Error("expected amqp://user:password@host:5672/virtual-host");
  const { username, password, hostname } = new URL(amqpUrl);
  const login = username === "" ? "" : `${username}:${password}@`;
  return {
    amqpUrl,
    managementUrl: process.env.RABBITMQ_MANAGEMENT_URL || `http://${login}${hostname}:15672`,
  };
}
