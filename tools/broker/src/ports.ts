import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Finds free ports on 127.0.0.1.
 *
 * They lie below those that the system gives to outgoing connections (from 32768 on Linux, from 49152 elsewhere).
 * Else a client that reconnects while the broker is down could be given the broker's port, and even connect to
 * itself.
 *
 * @param count How many.
 * @returns That many different ports, free a moment ago.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/**
 * Whether nothing listens on a port of 127.0.0.1.
 *
 * @param port A TCP port.
 */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
