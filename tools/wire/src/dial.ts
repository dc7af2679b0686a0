import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * Connects to the first broker that accepts it.
 *
 * @param urls The brokers, one or more.
 * @returns Which one it is, and a socket that stays half open when the broker ends its side.
 * @throws When none does, for the last one's reason.
 */
export async function dial(urls: readonly string[]): Promise<[url: string, socket: Socket]> {
  let reason: unknown;
  for (const url of urls) {
    const { protocol, hostname, port } = new URL(url);
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (protocol === "amqps:" ? 5671 : 5672)),
      noDelay: true,
      allowHalfOpen: true,
    });
    try {
      await once(socket, "connect");
      return [url, socket];
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}
