import type { Options } from "amqplib";
import { BrokerError } from "./broker-error.ts";
import { readTls } from "./tls.ts";

/** A broker, or one node of a cluster, in amqplib's words. */
export interface Endpoint {
  node: Options.Connect;
  /** Options for the socket: TLS, and how long to wait for the broker while connecting (`timeout`, in ms). */
  socket: Partial<ReturnType<typeof readTls>> & { timeout?: number };
  /** The URL without its password. */
  shown: string;
}

/**
 * Reads the URL of a broker, or the URLs of a cluster's nodes with commas between them: `amqp://one,amqp://two`.
 *
 * The query takes the parameters of RabbitMQ's own clients (https://www.rabbitmq.com/docs/uri-query-parameters). A
 * parameter that has no value counts as absent.
 *
 * - `heartbeat` (s, 0 turns it off), `connection_timeout` (ms), `channel_max`, `frame_max` (bytes). amqplib's spellings
 *   `channelMax`, `frameMax` and `maxFrameSize` work, too.
 * - `cacertfile`: the authorities to trust instead of those that Node knows and those in NODE_EXTRA_CA_CERTS.
 * - `certfile` and `keyfile`: the certificate to show to the broker, and its key.
 * - `auth_mechanism=external`: that certificate is the login, instead of user and password.
 * - `server_name_indication`: the host name to ask for, and to find in the broker's certificate.
 * - `verify=verify_peer`: what happens in any case. `verify_none` is refused.
 *
 * @param urls What to read.
 * @param source What to call it in an error, such as `AMQP_URL`.
 * @returns The nodes, and how to show them without passwords.
 * @throws {BrokerError} When it can't be used. The error doesn't repeat the URL, which may hold a password.
 */
export function readUrls(
  urls: string,
  source: string,
): { endpoints: [Endpoint, ...Endpoint[]]; shown: string } {
  // A comma may also be part of a password.
  const endpoints = urls.split(/,\s*(?=amqps?:)/).map((url) => readUrl(url, source)) as [Endpoint];
  return { endpoints, shown: endpoints.map(({ shown }) => shown).join(", ") };
}

function readUrl(url: string, source: string): Endpoint {
  const expected = "expected amqp://user:password@host:5672/virtual-host or amqps://…";
  const refuse = (reason: string): never => {
    throw new BrokerError(`${source} ${reason}`);
  };
  try {
    const { protocol, username, password, host, hostname, port, pathname, searchParams } = new URL(url);
    if (protocol !== "amqp:" && protocol !== "amqps:") refuse(`begins with ${protocol} but ${expected}.`);
    const vhost = pathname.slice(1);
    // As part of a virtual host, the second URL would be shown with its password.
    if (vhost.includes("://")) refuse("holds several URLs. A comma separates the nodes of a cluster.");
    if (Buffer.byteLength(decodeURIComponent(vhost)) > 255)
      refuse("names a virtual host of more than 255 bytes, which RabbitMQ does not allow.");
    const { timeout, ...limits } = readLimits(searchParams, refuse);
    checkWords(searchParams, protocol === "amqps:", refuse);
    return {
      shown: `${protocol}//${username && `${username}@`}${host}${pathname}`,
      // amqplib takes a string, too, but 2.3.1 then decodes %C3%A9 in a password as two letters.
      node: {
        ...limits,
        protocol: protocol.slice(0, -1),
        hostname: hostname.replace(/^\[|\]$/g, ""),
        port: Number(port),
        username: decodeURIComponent(username) || "guest",
        password: username ? decodeURIComponent(password) : "guest",
        vhost,
      },
      socket: {
        ...(timeout === undefined ? {} : { timeout }),
        ...(protocol === "amqps:" ? readTls(searchParams, source) : {}),
      },
    };
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new BrokerError(`${source} is not a URL: ${expected}.`);
  }
}

type Refuse = (reason: string) => never;

/** The smallest frame that a peer may ask for: AMQP 0-9-1, section 4.2.1. */
const FRAME_MIN = 4_096;

/** Parameters that are whole numbers: amqplib's name, the smallest number but 0, the largest, and whether 0 will do. */
const limits = {
  heartbeat: ["heartbeat", 1, 65_535, true],
  channel_max: ["channelMax", 1, 65_535, true],
  channelMax: ["channelMax", 1, 65_535, true],
  frame_max: ["frameMax", FRAME_MIN, 2 ** 31 - 1, true],
  frameMax: ["frameMax", FRAME_MIN, 2 ** 31 - 1, true],
  maxFrameSize: ["maxFrameSize", FRAME_MIN, 2 ** 31 - 1, true],
  connection_timeout: ["timeout", 1, 2 ** 31 - 1, false],
} as const;

function readLimits(query: URLSearchParams, refuse: Refuse) {
  const found: Partial<Record<(typeof limits)[keyof typeof limits][0], number>> = {};
  for (const [parameter, [name, least, most, orZero]] of Object.entries(limits)) {
    const value = query.get(parameter);
    if (!value) continue;
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (!((number >= least && number <= most) || (orZero && number === 0)))
      refuse(
        `has a wrong ${parameter}: it takes ${orZero ? "0, or " : ""}a whole number from ${least} to ${most}.`,
      );
    found[name] = number;
  }
  return found;
}

const files = ["cacertfile", "certfile", "keyfile"];

/** Parameters that are words: the values they take. The others are refused, so that no typing error goes unseen. */
const words: Record<string, (value: string) => string | undefined> = {
  auth_mechanism: (value) => (/^(plain|external)$/.test(value) ? undefined : "it takes plain or external"),
  verify: (value) =>
    value === "verify_peer"
      ? undefined
      : "it takes verify_peer, since a broker's certificate is always verified",
  locale: (value) => (value === "en_US" ? undefined : "it takes en_US, the only one that RabbitMQ has"),
  server_name_indication: () => undefined,
  ...Object.fromEntries(files.map((file) => [file, () => undefined])),
};

function checkWords(query: URLSearchParams, tls: boolean, refuse: Refuse): void {
  for (const [parameter, value] of query) {
    if (Object.hasOwn(limits, parameter) || value === "") continue;
    if (!Object.hasOwn(words, parameter)) {
      const known = [...Object.keys(limits), ...Object.keys(words)].join(", ");
      refuse(
        `has a parameter that is not known here: ${JSON.stringify(parameter.slice(0, 40))}. Known are ${known}.`,
      );
    }
    const wrong = words[parameter]?.(value);
    if (wrong) refuse(`has a wrong ${parameter}: ${wrong}.`);
    const needsTls = files.includes(parameter) || value === "external";
    if (needsTls && !tls) refuse(`has a ${parameter}, which needs amqps:.`);
  }
}
