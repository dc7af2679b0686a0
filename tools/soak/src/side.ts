import { setTimeout as pause } from "node:timers/promises";
import amqp from "amqplib";
import type { Broker } from "broker";
import { openWire, type Wire } from "wire";
import { Client } from "./client.ts";
import type { Ledger } from "./ledger.ts";

type Node = Pick<Broker, "amqpUrl" | "management">;

/** A broker or a cluster, with a publisher and two consumers of its own. */
export class Side {
  readonly name: string;
  readonly queues: string[];
  readonly #brokers: readonly Node[];
  readonly #ledger: Ledger;
  readonly #fail: (error: Error) => void;
  readonly #wires: Wire[] = [];
  readonly #started: Client[] = [];
  /** Messages with higher numbers are younger than the last fault. */
  #mark = -1;
  #highest = -1;
  publisher!: Client;
  /** The second one is killed now and then. */
  consumers!: [Client, Client];

  /**
   * @param name How its programs and messages are called.
   * @param brokers One, or a cluster's nodes.
   * @param queues The names of its queues.
   * @param ledger Keeps account of its messages.
   * @param fail Hears of a program that ends by itself.
   */
  constructor(
    name: string,
    brokers: readonly Node[],
    queues: string[],
    ledger: Ledger,
    fail: (error: Error) => void,
  ) {
    this.name = name;
    this.queues = queues;
    this.#brokers = brokers;
    this.#ledger = ledger;
    this.#fail = fail;
  }

  /** Starts its programs, and waits until they are ready. */
  async open(signal: AbortSignal): Promise<void> {
    const { name, queues } = this;
    const publisher = `${name}-publisher`;
    this.publisher = await this.#start(publisher, publishing, [publisher, ...queues]);
    await this.publisher.ready(signal);
    this.consumers = [
      await this.#start(`${name}-consumer`, consuming, queues),
      await this.#start(`${name}-worker`, consuming, queues),
    ];
    await Promise.all(this.consumers.map((consumer) => consumer.ready(signal)));
  }

  get clients(): Client[] {
    return [this.publisher, ...this.consumers];
  }

  /** Those that live from the beginning to the end. */
  get longLiving(): Client[] {
    return [this.publisher, this.consumers[0]];
  }

  /** Kills the worker, and starts it again as a service manager would. */
  async replaceWorker(): Promise<void> {
    const [consumer, worker] = this.consumers;
    await worker.kill();
    this.#started.splice(this.#started.indexOf(worker), 1);
    this.consumers = [consumer, this.#run(worker.name, consuming, this.queues, worker.wire)];
  }

  /**
   * Waits until all is as it should be again: programs that were disconnected are ready, and each program has had to do with a
   * message that is younger than this call.
   *
   * @param since When the broker could be reached again, by `performance.now()`.
   * @param signal Gives up.
   * @param options `served`: all consumers were away, until their next message.
   * @returns How long consumers were away, in ms: by default those that were disconnected, until they were ready.
   */
  async recovered(since: number, signal: AbortSignal, { served = false } = {}): Promise<number[]> {
    this.#mark = this.#highest;
    const away: number[] = [];
    await Promise.all(
      this.clients.map(async (client) => {
        const isAway = () => client.readyAt === undefined || client.readyAt > since;
        const wasAway = isAway();
        await client.ready(signal);
        const event = client === this.publisher ? "confirmed" : "received";
        await client.heard(event, signal, (id) => numberOf(id) > this.#mark);
        if (client === this.publisher) return;
        if (served) away.push(performance.now() - since);
        else if (wasAway || isAway()) away.push(Math.max(0, (client.readyAt as number) - since));
      }),
    );
    return away;
  }

  /**
   * Waits until a message that no consumer can handle is in the dead letter queue.
   *
   * @param id Its id.
   * @param signal Gives up.
   */
  async deadLettered(id: string, signal: AbortSignal): Promise<void> {
    while (!(await this.#takeDead()).includes(id)) {
      const { aborted, reason } = signal;
      if (aborted && !(reason instanceof DOMException)) throw reason;
      if (aborted) throw new Error(`${this.name}: ${id} was not dead-lettered in time.`);
      // ms
      await pause(100);
    }
  }

  /**
   * Has the publisher finish, waits until the queues are empty, then stops the consumers.
   *
   * @param signal Gives up.
   * @throws When a program doesn't end well.
   */
  async close(signal: AbortSignal): Promise<void> {
    const codes = [await this.publisher.finish(signal)];
    const connection = await amqp.connect(this.#first.amqpUrl, { noDelay: true });
    connection.on("error", () => {});
    const channel = await connection.createChannel();
    for (const queue of [...this.queues, "poison"])
      while ((await channel.checkQueue(queue)).messageCount > 0) signal.throwIfAborted();
    await connection.close();
    await this.#takeDead();
    for (const consumer of this.consumers) codes.push(await consumer.stop());
    if (codes.some((code) => code !== 0))
      throw new Error(`The programs of ${this.name} ended with the exit codes ${codes.join(", ")}.`);
  }

  /** Ends what is still there, at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#started.map((client) => client.kill()));
    await Promise.all(this.#wires.map((wire) => wire.close()));
  }

  get #first(): Node {
    return this.#brokers[0] as Node;
  }

  /** Takes what is in the dead letter queue. By the management API, since amqplib can't read all of it. */
  async #takeDead(): Promise<string[]> {
    const options = { count: 1_000, ackmode: "ack_requeue_false", encoding: "auto" };
    const dead = await this.#first.management<{ payload: string }[]>("POST", "/queues/%2F/dead/get", options);
    for (const { payload } of dead) this.#ledger.deadLettered(payload);
    return dead.map(({ payload }) => payload);
  }

  async #start(name: string, program: string[], args: string[]): Promise<Client> {
    // Each begins with another node of a cluster.
    const first = this.#wires.length % this.#brokers.length;
    const brokers = [...this.#brokers.slice(first), ...this.#brokers.slice(0, first)];
    const wire = await openWire(brokers.map(({ amqpUrl }) => amqpUrl));
    this.#wires.push(wire);
    return this.#run(name, program, args, wire);
  }

  #run(name: string, program: string[], args: string[], wire: Wire): Client {
    const client = new Client(name, program, args, wire);
    this.#started.push(client);
    client.on("published", (id) => {
      this.#highest = Math.max(this.#highest, numberOf(id));
      this.#ledger.published(id);
    });
    client.on("confirmed", (id) => this.#ledger.confirmed(id));
    client.on("received", (id) => this.#ledger.received(id));
    client.on("ended", (how) =>
      this.#fail(new Error([`${name} ended by itself: ${how}`, ...client.complaints].join("\n  "))),
    );
    return client;
  }
}

// With a larger stack, amqplib can write what it can't read with the usual one.
const publishing = ["--stack-size=3900", "publisher.ts"];
const consuming = ["consumer.ts"];

const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf("-") + 1));
