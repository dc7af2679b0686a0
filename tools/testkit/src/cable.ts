import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A connection to a broker that a test can hold, cut and unplug. */
export interface Cable {
  /** The broker's URL at this end. */
  amqpUrl: string;
  /** Keeps back what the broker says. What is said to it still arrives. */
  hold(): void;
  /** Passes on what was kept back. */
  release(): void;
  /** Breaks the connections there are. */
  cut(): void;
  /** Breaks the connections there are, and refuses new ones. */
  unplug(): Promise<void>;
  /** Accepts connections again. */
  plugIn(): Promise<void>;
}

/**
 * Lays a cable from a port of its own on 127.0.0.1.
 *
 * @param amqpUrl Where it leads.
 */
export async function layCable(amqpUrl: string): Promise<Cable> {
  const lines = new Map<Socket, Socket>();
  const {
    amqpUrl: nearUrl,
    server,
    port,
  } = await openEnd(amqpUrl, (near, far) => {
    lines.set(near, far);
    near.pipe(far).on("error", () => near.destroy());
    far.pipe(near).on("error", () => far.destroy());
    near.once("close", () => {
      far.destroy();
      lines.delete(near);
    });
  });
  const cut = () => {
    for (const near of lines.keys()) near.destroy();
  };
  return {
    amqpUrl: nearUrl,
    hold() {
      for (const [near, far] of lines) far.unpipe(near);
    },
    release() {
      for (const [near, far] of lines) far.pipe(near);
    },
    cut,
    async unplug() {
      if (!server.listening) return;
      server.close();
      cut();
      await once(server, "close");
    },
    async plugIn() {
      await once(server.listen(port, "127.0.0.1"), "listening");
    },
  };
}

/**
 * Opens the near end of a cable: a port of its own on 127.0.0.1, from which each connection is continued to a broker.
 *
 * @param amqpUrl The broker.
 * @param join Has what comes in at one end of a connection go out at the other.
 * @returns The broker's URL at this end, and what listens there.
 */
export async function openEnd(amqpUrl: string, join: (near: Socket, far: Socket) => void) {
  const { hostname, port: farPort } = new URL(amqpUrl);
  const server = createServer((near) => join(near, connect(Number(farPort || 5672), hostname)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { amqpUrl: Object.assign(new URL(amqpUrl), { hostname: "127.0.0.1", port }).href, server, port };
}
