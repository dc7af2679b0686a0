import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A way from a port of its own on 127.0.0.1 to the first broker that listens, as a load balancer is. It can be cut. */
export class Cable {
  readonly #server: Server;
  readonly #lines = new Map<Socket, Socket>();
  readonly #targets: readonly number[];
  #target: number | undefined;

  private constructor(targets: readonly number[]) {
    this.#targets = targets;
    this.#server = createServer((near) => void this.#connect(near));
  }

  /**
   * Lays a cable.
   *
   * @param targets The brokers' ports on 127.0.0.1. The first that listens is taken.
   */
  static async lay(targets: readonly number[]): Promise<Cable> {
    const cable = new Cable(targets);
    await once(cable.#server.listen(0, "127.0.0.1"), "listening");
    return cable;
  }

  /** Where it begins. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The broker's port to which the last connection went. */
  get target(): number | undefined {
    return this.#target;
  }

  /**
   * Breaks the connections there are.
   *
   * @param reset Whether with a RST, as by a firewall, or with a FIN, as when the other side has ended.
   */
  cut(reset: boolean): void {
    for (const socket of [...this.#lines].flat()) {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  /** Waits until somebody connects again. */
  async nextConnection(signal: AbortSignal): Promise<void> {
    await once(this.#server, "connection", { signal });
  }

  /** Takes it away. */
  close(): void {
    this.#server.close();
    this.cut(false);
  }

  async #connect(near: Socket): Promise<void> {
    near.on("error", () => {});
    const far = await this.#reach();
    if (!far || near.destroyed) {
      near.destroy();
      far?.destroy();
      return;
    }
    this.#lines.set(near, far);
    near.setNoDelay().pipe(far);
    far.setNoDelay().pipe(near);
    near.once("close", () => {
      this.#lines.delete(near);
      far.destroy();
    });
    far.on("error", () => {}).once("close", () => near.destroy());
  }

  async #reach(): Promise<Socket | undefined> {
    for (const target of this.#targets) {
      const socket = connect(target, "127.0.0.1");
      try {
        await once(socket, "connect");
        this.#target = target;
        return socket;
      } catch {
        // The next one, then.
      }
    }
    return undefined;
  }
}
