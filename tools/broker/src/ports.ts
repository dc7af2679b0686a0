import { once } from "node:events";
import { connect, createServer } from "node:net";

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
 * Whether nothing listens on a port of this machine's loopback addresses.
 *
 * @param port A TCP port.
 */
export async function isFree(port: number): Promise<boolean> {
  // On macOS one may listen on 127.0.0.1 beside another who listens on all addresses, so listening proves too little.
  if (await listens(port)) return false;
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

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "localhost");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Starts something on free ports, once more on others when one was taken in between.
 *
 * @param fixed Ports that matter and are not to be replaced. With one of these, a clash is an error at once.
 * @param start Gets the fixed ports, each missing one replaced by a free one.
 */
export async function onPorts<T>(
  fixed: (number | undefined)[],
  start: (ports: number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const free = await freePorts(fixed.length);
    try {
      return await start(free.map((port, i) => fixed[i] ?? port));
    } catch (error) {
      // As Erlang, epmd and Docker put it.
      const clash = /eaddrinuse|already in use|already allocated/i.test((error as Error).message);
      if (!clash || fixed.some(Boolean) || attempt === 3) throw error;
    }
  }
}
