import { readFileSync } from "node:fs";
import amqp from "amqplib";
import { BrokerError } from "./broker-error.ts";

/**
 * Reads what a URL's query says about TLS. The parameters are those of RabbitMQ's own clients
 * (https://www.rabbitmq.com/docs/uri-query-parameters), so that AMQP_URL is all that a program is told:
 *
 * - `cacertfile`: the authorities to trust instead of those that Node knows and those in NODE_EXTRA_CA_CERTS.
 * - `certfile` and `keyfile`: the certificate to show to the broker, and its key.
 * - `auth_mechanism=external`: that certificate is the login, in place of user and password.
 *
 * The broker's certificate is verified in any case.
 *
 * @param query A URL's.
 * @returns Options for amqplib's `connect`.
 * @throws {BrokerError} When a file can't be read.
 */
export function readTls(query: URLSearchParams) {
  const read = (parameter: string) => {
    const path = query.get(parameter);
    if (path === null) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new BrokerError(`AMQP_URL names a ${parameter} that can't be read: ${(error as Error).message}.`);
    }
  };
  const external = query.get("auth_mechanism")?.toLowerCase() === "external";
  return {
    ca: read("cacertfile"),
    cert: read("certfile"),
    key: read("keyfile"),
    ...(external ? { credentials: amqp.credentials.external() } : {}),
  };
}
