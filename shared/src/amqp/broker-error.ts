import { text } from "./text.ts";

/** What went wrong between a program and its broker, in one sentence for the person who runs the program. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  /** Node's error code, such as `ECONNREFUSED`, or the broker's reply code (AMQP 0-9-1, section 1.2). */
  readonly code: string | number | undefined;
  /** Whether trying again can help. It can when a broker is away or a queue is full, but not when a login is refused. */
  readonly retriable: boolean;

  constructor(message: string, details: { cause?: unknown; retriable?: boolean } = {}) {
    super(message, { cause: details.cause });
    this.code = (details.cause as Details | undefined)?.code;
    this.retriable = details.retriable ?? false;
  }
}

/**
 * Puts an error of Node, amqplib or the broker into words.
 *
 * @param error What was thrown or emitted.
 * @param broker The broker's URL without its password.
 * @returns A BrokerError, or `undefined` for an error that does not come from the broker: a fault of the program.
 */
export function explain(error: unknown, broker: string): BrokerError | undefined {
  if (error instanceof BrokerError) return error;
  for (const [pattern, sentence, retriable = false] of sentences) {
    const found = pattern.exec(codeAndMessage(error));
    if (!found) continue;
    // The broker's words may quote what other programs have declared.
    const word = (_: string, name: string) => (name === "broker" ? broker : text(found.groups?.[name] ?? ""));
    return new BrokerError(sentence.replace(/\{(\w+)\}/g, word), { cause: error, retriable });
  }
  return undefined;
}

/** Whether a peer hung up before it spoke AMQP: a broker that is still starting, behind Docker's port proxy. */
export const hungUp = (error: unknown): boolean =>
  /^(ECONNRESET|EPIPE)|closed abruptly/.test(codeAndMessage(error));

/**
 * Everything that tells amqplib's errors apart. A refused handshake has only a message. A closed channel also has the
 * reply code. Where no address of a host answers, Node's AggregateError has only the code.
 */
function codeAndMessage(error: unknown): string {
  const { code = "", reason, message, cert } = error as Error & Details;
  // OpenSSL's own words are shorter than what Node makes of them. Of a certificate for another host, the names are enough.
  return `${code} ${cert?.subjectaltname ?? reason ?? message}`;
}

interface Details {
  code?: string | number;
  reason?: string;
  cert?: { subjectaltname?: string };
}

const RETRIABLE = true;

/** The first pattern that fits gives the sentence. `{broker}` is the broker's URL, the other words are the pattern's groups. */
const sentences: [pattern: RegExp, sentence: string, retriable?: boolean][] = [
  [/^ECONNREFUSED/, "No RabbitMQ at {broker} (connection refused).", RETRIABLE],
  [/^(ENOTFOUND|EAI_AGAIN)|getaddrinfo/, "No RabbitMQ at {broker} (unknown host).", RETRIABLE],
  [/^(EHOSTUNREACH|ENETUNREACH)/, "No RabbitMQ at {broker} (unreachable).", RETRIABLE],
  [/ETIMEDOUT/, "No RabbitMQ at {broker} (no answer).", RETRIABLE],
  [
    /^(ECONNRESET|EPIPE)|closed abruptly/,
    "{broker} hung up before it spoke AMQP. RabbitMQ's port is usually 5672, or 5671 with amqps:.",
    RETRIABLE,
  ],
  [
    /Frame size .* exceeds|Invalid frame|Expected .*ConnectionStart|Unexpected frame/i,
    "{broker} doesn't speak AMQP. RabbitMQ's port is usually 5672, or 5671 with amqps:.",
  ],
  [
    /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)\w* (?<why>.*)/,
    "{broker} shows a certificate of an unknown authority ({why}). If it is yours, name its file in the URL (amqps://…?cacertfile=…) or in NODE_EXTRA_CA_CERTS.",
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID (?<names>.*)/,
    "{broker} shows a certificate for another host: {names}. Connect to a name that is in it.",
  ],
  [/^CERT_HAS_EXPIRED/, "The certificate of {broker} has expired. Its owner has to renew it."],
  [/^CERT_NOT_YET_VALID/, "The certificate of {broker} is not valid yet. Is this machine's clock right?"],
  [
    /^ERR_SSL_WRONG_VERSION_NUMBER/,
    "{broker} doesn't speak TLS on this port. RabbitMQ's port for amqps: is usually 5671.",
  ],
  [
    /^ERR_SSL_\w*ALERT_\w*(?:UNKNOWN_CA|CERTIFICATE)\w* (?<why>.*)/,
    "{broker} refused our certificate, or requires one ({why}). See certfile and keyfile in the broker's URL.",
  ],
  [
    /mechanism EXTERNAL is not provided/,
    "{broker} doesn't take a certificate for a login: its mechanism EXTERNAL (plugin rabbitmq_auth_mechanism_ssl) is off.",
  ],
  [
    /Handshake terminated by server: 403 .*mechanism EXTERNAL/,
    "{broker} refused the login. Is there a user with the name in our certificate?",
  ],
  [
    /^(?<code>\w*(?:CERT|SSL|TLS|SIGNED|SIGNATURE)\w*|EPROTO) (?<why>.*)/,
    "TLS with {broker} failed: {why} ({code}).",
  ],
  [
    /Handshake terminated by server: 403 .*"(?:[A-Z_]+ - )?(?<why>.*)"/s,
    "{broker} refused the login. Are the user and the password in its URL right? ({why})",
  ],
  // amqplib 2.3.1 doesn't pass on what the broker says here.
  [
    /Expected ConnectionOpenOk/,
    "{broker} has no such virtual host, or this user has no permissions there, or has as many connections as it may.",
  ],
  [/message nacked/, "RabbitMQ refused a message (nack). Is its queue full?", RETRIABLE],
  [
    /inequivalent arg '(?<argument>.*?)' for (?<kind>queue|exchange) '(?<name>.*?)'.*received (?<ours>.*) but current is (?<theirs>.*)"/s,
    'The {kind} "{name}" exists with another {argument}: {theirs} there, {ours} here. Delete it, or declare it with the same arguments.',
  ],
  [
    /Connection closed|Unexpected close|Heartbeat timeout|^ *channel closed|^ *Channel ended/i,
    "The connection to {broker} was lost.",
    RETRIABLE,
  ],
  [/ with message "(?:[A-Z_]+ - )?(?<why>.*[^.])\.*"/s, "{broker} says: {why}."],
];
