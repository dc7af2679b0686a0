import { readFileSync } from "node:fs";
import amqp from "amqplib";
import { BrokerError } from "./broker-error.ts";
import { text } from "./text.ts";

/**
 * Reads what a URL's query says about TLS. The broker's certificate is always verified.
 *
 * @param query The parameters: see `readUrls`.
 * @param source What to call the URL in an error.
 * @returns Options for Node's `tls.connect` and amqplib's `connect`.
 * @throws {BrokerError} When a file can't be read.
 */
export function readTls(query: URLSearchParams, source: string) {
  const read = (parameter: string) => {
    const path = query.get(parameter);
    if (!path) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new BrokerError(
        `${source} names a ${parameter} that can't be read: ${text((error as Error).message)}.`,
      );
    }
  };
  const servername = query.get("server_name_indication");
  return {
    ca: read("cacertfile"),
    cert: read("certfile"),
    key: read("keyfile"),
    ...(servername ? { servername } : {}),
    ...(query.get("auth_mechanism") === "external" ? { credentials: amqp.credentials.external() } : {}),
  };
}
