import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A broker, as far as a cable is concerned. */
interface Reachable {
  amqpUrl: string;
}

/** A way from a port of its own on 127.0.0.1 to the first broker that listens, as a load balancer is. It can be cut. */
export class Cable {
  readonly #server: Server;
  readonly #lines = new Map<Socket, Socket | undefined>();
  readonly #brokers: readonly Reachable[];
  #broker: Reachable | undefined;

  private constructor(brokers: readonly Reachable[]) {
    this.#brokers = brokers;
    this.#server = createServer((near) => void this.#connect(near));
  }

  /**
   * Lays a cable.
   *
   * @param brokers Where it may lead. Each connection goes to the first that listens.
   */
  static async lay(brokers: readonly Reachable[]): Promise<Cable> {
    const cable = new Cable(brokers);
    await once(cable.#server.listen(0, "127.0.0.1"), "listening");
    return cable;
  }

  /** Where it begins. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether the last connection went to that broker. */
  leadsTo(broker: Reachable): boolean {
    return this.#broker?.amqpUrl === broker.amqpUrl;
  }

  /**
   * Breaks the connections there are.
   *
   * @param reset Whether with a RST, as by a firewall, or with a FIN, as when the other side has ended.
   */
  cut(reset: boolean): void {
    for (const socket of [...this.#lines].flat()) {
      if (reset) socket?.resetAndDestroy();
      else socket?.destroy();
    }
  }

  /**
   * Waits until somebody connects again.
   *
   * @param signal Gives up.
   * @throws When it says so.
   */
  async nextConnection(signal: AbortSignal): Promise<void> {
    try {
      await once(this.#server, "connection", { signal });
    } catch {
      throw signal.reason instanceof DOMException
        ? new Error("Nobody connected again in time.")
        : signal.reason;
    }
  }

  /** Takes it away. */
  close(): void {
    this.#server.close();
    this.cut(false);
  }

  async #connect(near: Socket): Promise<void> {
    // At once, so that it can be cut before it has reached the broker.
    this.#lines.set(near, undefined);
    near.on("error", () => {}).once("close", () => this.#lines.delete(near));
    const far = await this.#reach();
    if (!far || near.destroyed) {
      near.destroy();
      far?.destroy();
      return;
    }
    this.#lines.set(near, far);
    near.setNoDelay().pipe(far);
    far.setNoDelay().pipe(near);
    near.once("close", () => far.destroy());
    far.on("error", () => {}).once("close", () => near.destroy());
  }

  async #reach(): Promise<Socket | undefined> {
    for (const broker of this.#brokers) {
      const { hostname, port } = new URL(broker.amqpUrl);
      const socket = connect(Number(port), hostname);
      try {
        await once(socket, "connect");
        this.#broker = broker;
        return socket;
      } catch {
        // The next one, then.
      }
    }
    return undefined;
  }
}
