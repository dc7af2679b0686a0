import { LookError } from "./sight.ts";

/** Where a broker answers, by its two protocols. */
export interface Urls {
  /** Always with a user and a password. */
  management: URL;
  amqp: URL;
  vhost: string;
  /** For AMQP. */
  user: string;
  password: string;
}

/**
 * Reads AMQP_URL and RABBITMQ_MANAGEMENT_URL. Where only one of them is set, its host and login serve for both: any other
 * broker would be a stranger.
 *
 * @throws {LookError} When one of them is no such URL.
 */
export function findUrls(): Urls {
  const { AMQP_URL, RABBITMQ_MANAGEMENT_URL } = process.env;
  const given = AMQP_URL
    ? read("AMQP_URL", AMQP_URL, "amqp://user:password@host:5672/virtual-host")
    : undefined;
  const management = RABBITMQ_MANAGEMENT_URL
    ? read("RABBITMQ_MANAGEMENT_URL", RABBITMQ_MANAGEMENT_URL, "http://user:password@host:15672")
    : new URL(`http://${given?.hostname || "localhost"}:15672`);
  const amqpUrl = given ?? new URL(`amqp://${management.hostname}:5672`);
  lendLogin(management, amqpUrl);
  lendLogin(amqpUrl, management);
  return {
    management,
    amqp: amqpUrl,
    vhost: decodeURIComponent(amqpUrl.pathname.slice(1)) || "/",
    user: decodeURIComponent(amqpUrl.username),
    password: decodeURIComponent(amqpUrl.password),
  };
}

function lendLogin(to: URL, from: URL): void {
  if (to.username !== "") return;
  to.username = from.username || "guest";
  to.password = from.username === "" ? "guest" : from.password;
}

function read(variable: string, value: string, expected: string): URL {
  try {
    const url = new URL(value);
    if (!(variable === "AMQP_URL" ? /^amqps?:$/ : /^https?:$/).test(url.protocol))
      throw new Error("protocol");
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
    return url;
  } catch {
    // The value isn't repeated: it may hold a password.
    throw new LookError(`${variable} is not such a URL: expected ${expected}.`);
  }
}
