/** What went wrong between a script and its broker, in words for the person who runs it: one or two lines. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
}

/**
 * Puts an error of Node or amqplib into words.
 *
 * amqplib 2.3.1 reports a refused handshake by its message alone, a channel that the broker closed by `code`
 * (the reply code of AMQP 0-9-1, section 1.2) and message, and a host with several addresses of which none
 * answers as an AggregateError whose own message is empty.
 *
 * @param error What was thrown or emitted.
 * @param broker The broker's URL without its password, as `readUrl` gives it.
 * @returns A BrokerError, or `undefined` for an error that is no affair of the broker's: a fault of the program.
 */
export function explain(error: unknown, broker: string): BrokerError | undefined {
  if (error instanceof BrokerError) return error;
  const lines = words(error as AmqpError, broker);
  return lines && new BrokerError(lines.join("\n"), { cause: error });
}

/** Whether to try again makes sense: nobody answered, or the broker went away. Not so a refusal. */
export function isPassing(error: unknown): boolean {
  const { code, message } = error as AmqpError;
  return (
    (typeof code === "string" && code in unreachable) ||
    /ETIMEDOUT|Unexpected close|^Connection closed/.test(message)
  );
}

interface AmqpError extends Error {
  code?: string | number;
}

const unreachable: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "unknown host",
  EPIPE: "connection lost",
  ETIMEDOUT: "no answer",
};

const help = "Start one with `pnpm broker` or `docker compose up -d`, or set AMQP_URL to yours.";

function words(error: AmqpError, broker: string): string[] | undefined {
  const { code, message } = error;
  if (typeof code === "string" && code in unreachable)
    return [`No RabbitMQ at ${broker} (${unreachable[code]}).`, help];
  if (/ETIMEDOUT/.test(message)) return [`No RabbitMQ at ${broker} (no answer).`, help];
  if (/closed abruptly/.test(message))
    return [
      `${broker} hung up before it spoke AMQP.`,
      "Is that RabbitMQ's AMQP port: 5672, or 5671 with amqps:?",
    ];
  if (typeof code === "string" && /CERT|SSL|TLS|EPROTO|SIGNED|LEAF_SIGNATURE/.test(code))
    return [`TLS with ${broker} failed (${code}): ${message.split("\n", 1)[0]}.`];

  const refusal = /Handshake terminated by server: (\d+) \([\w-]+\) with message "(?:[A-Z_]+ - )?(.*)"/.exec(
    message,
  );
  if (refusal?.[1] === "403")
    return [`${broker} refused the login. Are the user and the password in AMQP_URL right? (${refusal[2]})`];
  if (refusal) return [`${broker} refused the connection: ${refusal[2]}.`];

  if (typeof code !== "number") {
    if (/message nacked/.test(message)) return ["RabbitMQ refused a message (nack): is its queue full?"];
    if (
      /channel closed|Channel ended|Channel closed|Connection closed|Unexpected close|Heartbeat timeout/i.test(
        message,
      )
    )
      return [`The connection to ${broker} was lost (${message}).`];
    return undefined;
  }
  const reply = /with message "(?:[A-Z_]+ - )?(.*)"/.exec(message)?.[1] ?? message;
  const other =
    /inequivalent arg '([^']*)' for (queue|exchange) '([^']*)'.*received (.*) but current is (.*)/.exec(
      reply,
    );
  if (other) {
    const [, argument, kind, name, ours, theirs] = other;
    return [
      `The ${kind} "${name}" exists with another ${argument}: ${theirs} there, ${ours} here. Delete it, or declare it alike.`,
    ];
  }
  return [`${broker} refused: ${reply}.`];
}
