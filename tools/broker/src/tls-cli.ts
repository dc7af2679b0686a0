import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "cli";
import type { Management } from "./management.ts";
import type { Tls } from "./options.ts";

/**
 * Reads what `pnpm broker --tls` names: `ca.pem`, the authority that signs the clients' certificates, and the broker's
 * own certificate and key.
 *
 * @param folder Where the files are.
 * @param certificate `<certificate>.pem` and `<certificate>-key.pem` are the broker's.
 * @returns With the port that AMQPS_URL names, or 5671.
 * @throws {UsageError} When a file can't be read, or AMQPS_URL names no broker on this machine.
 */
export function readTlsFolder(folder: string, certificate: string): Tls & { port: number } {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, `${name}.pem`), "utf8");
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  };
  return { ca: read("ca"), certificate: read(certificate), key: read(`${certificate}-key`), port: tlsPort() };
}

function tlsPort(): number {
  const { AMQPS_URL } = process.env;
  if (AMQPS_URL === undefined) return 5671;
  const url = URL.canParse(AMQPS_URL) ? new URL(AMQPS_URL) : undefined;
  // The URL isn't repeated: it may hold a password.
  if (url?.protocol !== "amqps:" || url.hostname !== "localhost")
    throw new UsageError(
      "AMQPS_URL names another broker: expected amqps://localhost, with a port if it isn't 5671",
    );
  return Number(url.port) || 5671;
}

/**
 * Creates a user who has no password and logs in with a certificate. The user may declare and send, but not receive.
 *
 * @param management The broker's.
 * @param name What the certificate has as its common name.
 */
export async function createSender(management: Management, name: string): Promise<void> {
  const user = encodeURIComponent(name);
  await management("PUT", `/users/${user}`, { password_hash: "", tags: "" });
  await management("PUT", `/permissions/%2F/${user}`, { configure: ".*", write: ".*", read: "" });
}
