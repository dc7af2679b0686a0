import { text } from "./text.ts";

/** What went wrong between a program and its broker, in words for the person who runs it: one or two lines. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
}

/**
 * Puts an error of Node or amqplib into words.
 *
 * @param error What was thrown or emitted.
 * @param broker The broker's URL without its password.
 * @returns A BrokerError, or `undefined` for an error that has nothing to do with the broker: a fault of the program.
 */
export function explain(error: unknown, broker: string): BrokerError | undefined {
  if (error instanceof BrokerError) return error;
  for (const [pattern, say] of sayings) {
    const found = pattern.exec(codeAndMessage(error));
    if (found) return new BrokerError(say(broker, ...found.slice(1)), { cause: error });
  }
  return undefined;
}

/**
 * How a script ends when the broker has let it down: what is wrong and what mends it on stderr, exit code 1.
 *
 * @param error What was thrown.
 * @param broker The broker's URL without its password, where it is known.
 * @throws The error itself, if it has nothing to do with the broker.
 */
export function giveUp(error: unknown, broker = "RabbitMQ"): never {
  const reason = explain(error, broker);
  if (!reason) throw error;
  console.error(reason.message);
  process.exit(1);
}

/** Whether another attempt may do better: nobody answered, or whoever did has gone away. Not so a refusal. */
export function isPassing(error: unknown): boolean {
  return /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EPIPE)|ETIMEDOUT|closed abruptly|Connection closed|Unexpected close/.test(
    codeAndMessage(error),
  );
}

/**
 * All that tells amqplib's errors apart. A refused handshake has only a message; a closed channel also the reply
 * code (AMQP 0-9-1, section 1.2); and where no address of a host answers, Node's AggregateError has only the code.
 */
function codeAndMessage(error: unknown): string {
  const { code = "", reason, message, cert } = error as Error & Details;
  // OpenSSL's own words are shorter than what Node makes of them. Of a certificate for another host, its names will do.
  return `${code} ${cert?.subjectaltname ?? reason ?? message}`;
}

interface Details {
  code?: string | number;
  reason?: string;
  cert?: { subjectaltname?: string };
}

const nobody = (broker: string, why: string) =>
  `No RabbitMQ at ${broker} (${why}).\nStart one with \`pnpm broker\` or \`docker compose up -d\`, or set AMQP_URL to yours.`;

const sayings: [pattern: RegExp, say: (broker: string, ...found: string[]) => string][] = [
  [/^ECONNREFUSED/, (broker) => nobody(broker, "connection refused")],
  [/^(ENOTFOUND|EAI_AGAIN)/, (broker) => nobody(broker, "unknown host")],
  [/^(EHOSTUNREACH|ENETUNREACH)/, (broker) => nobody(broker, "unreachable")],
  [/ETIMEDOUT/, (broker) => nobody(broker, "no answer")],
  [
    /^(ECONNRESET|EPIPE)|closed abruptly/,
    (broker) => `${broker} hung up before it spoke AMQP.\nIts port is 5672 as a rule, or 5671 with amqps:.`,
  ],
  [
    /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)\w* (.*)/,
    (broker, why) =>
      `${broker} shows a certificate of an unknown authority (${why}). If it is yours, name its file: AMQP_URL=amqps://…?cacertfile=…, or NODE_EXTRA_CA_CERTS.`,
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID (.*)/,
    (broker, names) =>
      `${broker} shows a certificate for another host: ${text(names)}. Use a name that is in it, if that is where you meant to go.`,
  ],
  [
    /^CERT_HAS_EXPIRED/,
    (broker) => `The certificate of ${broker} has expired. Whoever runs it has to renew it.`,
  ],
  [
    /^CERT_NOT_YET_VALID/,
    (broker) => `The certificate of ${broker} is not valid yet. Is this machine's clock right?`,
  ],
  [
    /^ERR_SSL_WRONG_VERSION_NUMBER/,
    (broker) => `${broker} doesn't speak TLS on this port. For amqps: it is 5671 as a rule.`,
  ],
  [
    /^ERR_SSL_\w*ALERT_\w*(?:UNKNOWN_CA|CERTIFICATE)\w* (.*)/,
    (broker, why) =>
      `${broker} refused our certificate, or wants one (${why}). See certfile and keyfile in AMQP_URL.`,
  ],
  [
    /mechanism EXTERNAL is not provided/,
    (broker) =>
      `${broker} doesn't take a certificate for a login: its mechanism EXTERNAL (plugin rabbitmq_auth_mechanism_ssl) is off.`,
  ],
  [
    /Handshake terminated by server: 403 .*mechanism EXTERNAL/,
    (broker) => `${broker} refused the login. Is there a user with the name in our certificate?`,
  ],
  [
    /^(\w*(?:CERT|SSL|TLS|SIGNED|SIGNATURE)\w*|EPROTO) (.*)/,
    (broker, code, why) => `TLS with ${broker} failed: ${why} (${code}).`,
  ],
  [
    /Handshake terminated by server: 403 .*"(?:[A-Z_]+ - )?(.*)"/,
    (broker, why) => `${broker} refused the login. Are user and password in AMQP_URL right? (${why})`,
  ],
  // amqplib 2.3.1 doesn't pass on what the broker says here.
  [
    /Expected ConnectionOpenOk/,
    (broker) =>
      `${broker} has no such virtual host, or this user has no permissions there, or has as many connections as it may.`,
  ],
  [/message nacked/, () => "RabbitMQ refused a message (nack). Is its queue full?"],
  [
    /inequivalent arg '(.*?)' for (queue|exchange) '(.*?)'.*received (.*) but current is (.*)"/,
    (_, argument, kind, name, ours, theirs) =>
      `The ${kind} "${name}" exists with another ${argument}: ${theirs} there, ${ours} here. Delete it, or declare it alike.`,
  ],
  [
    /Connection closed|Unexpected close|Heartbeat timeout|^ *channel closed|^ *Channel ended/i,
    (broker) => `The connection to ${broker} was lost.`,
  ],
  [/ with message "(?:[A-Z_]+ - )?(.*)"/, (broker, why) => `${broker} says: ${why}.`],
];
