import { setTimeout } from "node:timers/promises";
import amqp, { type Channel, type ChannelModel, type ConsumeMessage } from "amqplib";
import { type Broker, ManagementError, type VirtualHost } from "broker";
import type { Terminal } from "stage";
import { confirms, exchanges, queues, rpc, tutorials } from "./contract.ts";
import type { Peer } from "./languages.ts";
import { startPeer, startScript } from "./programs.ts";

/** What a peer has told of a delivery. */
export interface Arrival {
  source: string;
  body: Buffer;
  headers: Record<string, string>;
}

/** ms. A bound for what should come at once, on a loaded machine. */
const patience = 20_000;

/** A virtual host with the consumers of all tutorials in one language. */
export class Room {
  readonly url: string;
  readonly channel: Channel;
  /** Whose it is; `undefined` for ours. */
  readonly peer: Peer | undefined;
  /** What the peers in it have told so far. */
  readonly seen: Arrival[] = [];
  /** Our running consumers, by the queue or the exchange of their tutorial. A peer's only one is called "peer". */
  readonly programs = new Map<string, Terminal>();
  readonly #broker: Broker;
  readonly #virtualHost: VirtualHost;
  readonly #connection: ChannelModel;

  private constructor(
    broker: Broker,
    virtualHost: VirtualHost,
    connection: ChannelModel,
    channel: Channel,
    peer?: Peer,
  ) {
    this.url = virtualHost.amqpUrl;
    this.channel = channel;
    this.peer = peer;
    this.#broker = broker;
    this.#virtualHost = virtualHost;
    this.#connection = connection;
  }

  /** Makes the virtual host, and the queue that peers report to. */
  static async open(broker: Broker, peer?: Peer): Promise<Room> {
    const virtualHost = await broker.createVirtualHost();
    const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
    const channel = await connection.createChannel();
    // The rejected call reports the error. Without a listener, the event would end the process.
    connection.on("error", () => {});
    channel.on("error", () => {});
    const room = new Room(broker, virtualHost, connection, channel, peer);
    await channel.assertQueue("seen", { exclusive: true });
    await channel.consume("seen", (delivery) => delivery && room.seen.push(read(delivery)), { noAck: true });
    return room;
  }

  get name(): string {
    return this.peer?.name ?? "ours";
  }

  /** Starts the consumers, and waits until the broker has all their bindings and subscriptions. */
  async consume(): Promise<void> {
    const { peer, url, programs } = this;
    if (peer?.needsExchanges)
      for (const [exchange, { type }] of Object.entries(exchanges))
        await this.channel.assertExchange(exchange, type, { durable: false });
    if (peer) programs.set("peer", startPeer(peer, ["consume"], [url]));
    else {
      for (const { source, example, consumer } of tutorials)
        programs.set(source, startScript(example, consumer, url));
      programs.set(rpc.queue, startScript(rpc.example, rpc.server, url));
      programs.set(confirms.queue, startScript(confirms.example, confirms.consumer, url));
    }
    await this.until("its consumers to subscribe", async () => {
      for (const [exchange, { bindings }] of Object.entries(exchanges))
        if ((await this.#bindings(exchange)) < bindings) return false;
      for (const queue of queues) if ((await this.holds(queue))?.consumers !== 1) return false;
      return true;
    });
  }

  /**
   * What its consumers have received so far.
   *
   * @param source Of which tutorial; "rpc" for the answers to the calls of peers.
   * @returns The bodies, in the order of arrival. From our own consumers, the lines that they printed for them.
   */
  received(source: string): string[] {
    const program = this.programs.get(source);
    return program
      ? program.lines.filter((line) => /^ \[x\] (?!Done$)/.test(line))
      : this.seen.filter((report) => report.source === source).map(({ body }) => body.toString());
  }

  /** Ends a program as `kill -9` does. */
  async kill(program: string): Promise<void> {
    await this.programs.get(program)?.close();
    this.programs.delete(program);
  }

  /**
   * Asks the broker for what a queue holds, by a passive declare, which is exact.
   *
   * @returns How many messages are ready (without those that a consumer has and has not acknowledged) and how many
   *   consumers there are, or `undefined` where there is no such queue.
   */
  async holds(queue: string): Promise<{ ready: number; consumers: number } | undefined> {
    const channel = await this.#connection.createChannel();
    // Where there is no such queue, the broker closes the channel.
    channel.on("error", () => {});
    try {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      await channel.close();
      return { ready: messageCount, consumers: consumerCount };
    } catch {
      return undefined;
    }
  }

  /**
   * Waits for something that is asked for again and again.
   *
   * @param what Completes "waited in vain for …".
   * @throws When it has not come within 20 s, or a consumer has ended, with what that printed.
   */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = AbortSignal.timeout(patience);
    while (!(await condition())) {
      for (const { ended, lines } of this.programs.values())
        if (ended) throw new Error(`${this.name}: a consumer has ended: ${lines.join(" ").slice(-500)}`);
      if (deadline.aborted) throw new Error(`${this.name}: waited in vain for ${what}`);
      await setTimeout(20);
    }
  }

  /** Ends the programs and deletes the virtual host. */
  async close(): Promise<void> {
    await Promise.all([...this.programs.values()].map((program) => program.close()));
    await this.#connection.close();
    await this.#virtualHost.delete();
  }

  /** The management API's statistics lag, but its bindings don't. */
  async #bindings(exchange: string): Promise<number> {
    const path = `/exchanges/${encodeURIComponent(this.#virtualHost.name)}/${exchange}/bindings/source`;
    try {
      return (await this.#broker.management<unknown[]>("GET", path)).length;
    } catch (error) {
      if (error instanceof ManagementError && error.status === 404) return 0;
      throw error;
    }
  }
}

const read = ({ content, properties: { headers } }: ConsumeMessage): Arrival => ({
  source: String(headers?.source),
  body: content,
  headers: headers as Record<string, string>,
});
