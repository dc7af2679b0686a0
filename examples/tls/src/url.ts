import { isIP, isIPv6 } from "node:net";
import { text } from "shared";
import { isThere, pathOf } from "./certificates.ts";

/** The options of both programs, and their defaults. */
export const tlsOptions = {
  as: { type: "string" },
  trust: { type: "string", default: "ca" },
  host: { type: "string" },
} as const;

export const tlsSynopsis = "[--as <user>] [--trust <authority>] [--host <name>]";

interface TlsOptions {
  /** Whose certificate to show. It is the login, and there is no password. */
  as?: string | undefined;
  /** The one authority that is trusted. */
  trust: string;
  /** Under which name to reach the broker. Its certificate must be for that name. */
  host?: string | undefined;
}

/** Where the broker is. Anything but `amqps:` ends the process with exit code 1, since it is not TLS. */
function brokerUrl(): URL {
  const url = process.env.AMQPS_URL ?? "amqps://localhost";
  if (URL.canParse(url) && new URL(url).protocol === "amqps:") return new URL(url);
  // It isn't repeated: it may hold a password.
  console.error("AMQPS_URL is not what was expected: amqps://user:password@host:5671/virtual-host.");
  process.exit(1);
}

/**
 * The URL for a program that speaks TLS: all that it needs is in it, in the parameters that RabbitMQ's own clients take.
 * (https://www.rabbitmq.com/docs/uri-query-parameters)
 *
 * @param options The options that were typed.
 * @param refuse Refuses them when there is no such certificate, or no host can have that name.
 */
export function tlsUrl({ as, trust, host }: TlsOptions, refuse: (reason: string) => never): string {
  for (const name of as === undefined ? [trust] : [trust, as, `${as}-key`])
    if (!isThere(name)) refuse(`There is no ${text(name)}.pem. The script make-certificates makes some.`);
  const url = brokerUrl();
  if (host !== undefined) {
    if (!isHost(host)) refuse("--host takes a name or an address, as localhost or 127.0.0.1.");
    url.hostname = isIPv6(host) ? `[${host}]` : host;
  }
  url.searchParams.set("cacertfile", pathOf(trust));
  if (as !== undefined) {
    url.searchParams.set("certfile", pathOf(as));
    url.searchParams.set("keyfile", pathOf(`${as}-key`));
    url.searchParams.set("auth_mechanism", "external");
  }
  return url.href;
}

/** Whether it is an address, or a name that a look-up takes: at most 63 bytes between two dots (RFC 1035, 2.3.4). */
const isHost = (host: string): boolean =>
  isIP(host) !== 0 || (host.length < 254 && /^([a-z\d_-]{1,63}(\.|$))+$/i.test(host));
