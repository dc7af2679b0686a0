import { setTimeout } from "node:timers/promises";
import {
  type Broker,
  freeClusterUrl,
  freePorts,
  type Management,
  managementOfCluster,
  type VirtualHost,
} from "broker";
import { Feed, type Place } from "../feed/feed.ts";
import { Rush } from "../feed/rush.ts";
import type { Contents, Happening, LiveEvent, Totals } from "../protocol.ts";

/** Where the programs of a pattern may start a broker of their own. */
export interface OwnBrokers {
  mqttUrl: string;
  amqpsUrl: string;
  clusterUrl: string;
}

/** ms between two looks at whether the broker is there. */
const OFTEN = 250;

/** What a pattern is played in: a virtual host of its own, what is seen of it, and places for more brokers. */
export class World {
  readonly virtualHost: VirtualHost;
  readonly own: OwnBrokers | undefined;
  /** What is looked at: the virtual host, or the cluster that one of the programs starts. */
  readonly place: Place;
  readonly feed: Feed;
  readonly #rush: Rush;
  readonly #say: (event: LiveEvent) => void;
  readonly #seesCluster: boolean;
  readonly #stopping = new AbortController();
  /** Whether it is known that the broker is away. */
  #isSuspended = false;
  #isWatching = false;
  #shownCluster = "";
  /** Why the feed could not be opened the last time. */
  #obstacle = "";

  private constructor(
    broker: Broker,
    virtualHost: VirtualHost,
    own: OwnBrokers | undefined,
    seesCluster: boolean,
    say: (event: LiveEvent) => void,
    listen: ((happening: Happening) => void) | undefined,
  ) {
    this.virtualHost = virtualHost;
    this.own = own;
    this.#say = say;
    this.#seesCluster = seesCluster;
    this.#rush = new Rush(
      (event: Happening | Totals | Contents) => say(event),
      () => this.feed.contents(),
    );
    this.place =
      seesCluster && own
        ? { management: clusterManagement(own.clusterUrl), vhost: "/", amqpUrl: own.clusterUrl }
        : { management: broker.management, vhost: virtualHost.name, amqpUrl: virtualHost.amqpUrl };
    this.feed = new Feed(this.place, (happening) => {
      listen?.(happening);
      this.#rush.hear(happening);
    });
  }

  /**
   * Makes one.
   *
   * @param broker Where.
   * @param virtualHost Its own. It is deleted with it.
   * @param commands What its programs are started by: some start a broker of their own.
   * @param say Hears what the page should.
   * @param listen Hears each single happening, also when there are more than the page can show.
   * @throws When the broker has no management API, or can't be reached.
   */
  static async make(
    broker: Broker,
    virtualHost: VirtualHost,
    commands: readonly string[],
    say: (event: LiveEvent) => void,
    listen?: (happening: Happening) => void,
  ): Promise<World> {
    const own = commands.some(startsBroker) ? await ownBrokers() : undefined;
    const world = new World(broker, virtualHost, own, commands.some(startsCluster), say, listen);
    try {
      if (!world.#seesCluster) {
        await world.feed.open();
        void world.#watch();
      }
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Ports that wires must leave alone. */
  get reserved(): number[] {
    if (!this.own) return [];
    const { mqttUrl, amqpsUrl, clusterUrl } = this.own;
    const ports = [mqttUrl, amqpsUrl, ...clusterUrl.split(",")].map((url) => Number(new URL(url).port));
    return ports.flatMap((port) => [port, port + 10_000]);
  }

  /**
   * Waits until what happens next is seen: a cluster that a program has just started must answer first.
   *
   * @param patience ms that it may take.
   * @param signal Gives up.
   * @throws When it doesn't answer in time, with what went wrong the last time; or the signal's reason.
   */
  async ready(patience: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + patience;
    while (!(await this.isReady())) {
      if (performance.now() > deadline)
        throw new Error(`The cluster did not answer within ${patience / 1000} s: ${this.#obstacle}`);
      await setTimeout(OFTEN, undefined, { signal });
    }
  }

  /** Whether what happens next is seen. */
  async isReady(): Promise<boolean> {
    if (!this.#seesCluster || this.feed.isOpen) return true;
    if (!(await this.#openFeed())) return false;
    if (!this.#isWatching) void this.#watch();
    return true;
  }

  /** The broker is about to go away. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** The broker is back: sees what happens from now on. */
  async resume(): Promise<void> {
    try {
      await this.feed.open();
    } finally {
      this.#isSuspended = false;
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#rush.end();
    await this.feed.close();
    await this.virtualHost.delete().catch(() => {});
  }

  async #openFeed(): Promise<boolean> {
    try {
      await this.feed.open();
    } catch (error) {
      this.#obstacle = (error as Error).message;
    }
    return this.feed.isOpen;
  }

  /** Looks again when the broker was away or, in a cluster, the node that was looked at; tells of the cluster's nodes. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    const { signal } = this.#stopping;
    for (
      let wasOpen = true;
      !signal.aborted;
      await setTimeout(OFTEN, undefined, { signal }).catch(() => {})
    ) {
      if (this.#isSuspended) continue;
      const isOpen = this.feed.isOpen || (await this.#openFeed());
      if (isOpen !== wasOpen && !this.#seesCluster)
        this.#say({ type: "notice", text: isOpen ? "The broker is back." : "The broker has gone away." });
      wasOpen = isOpen;
      if (this.#seesCluster) await this.#showCluster().catch(() => {});
    }
  }

  async #showCluster(): Promise<void> {
    const { management } = this.place;
    const nodes = await management<{ name: string; running: boolean }[]>("GET", "/nodes");
    const queues: { name: string; leader: string; members: string[]; online: string[] }[] = [];
    for (const { name, type } of this.feed.plan.queues) {
      if (type === "classic") continue;
      const path = `/queues/%2F/${encodeURIComponent(name)}`;
      const {
        leader = "",
        members = [],
        online = [],
      } = await management<Partial<(typeof queues)[0]>>("GET", path);
      queues.push({ name, leader, members, online });
    }
    const cluster: LiveEvent = {
      type: "cluster",
      basis: "seen",
      nodes: nodes.map(({ name, running }) => ({ name, running })),
      queues,
    };
    const shown = JSON.stringify(cluster);
    if (shown !== this.#shownCluster) this.#say(cluster);
    this.#shownCluster = shown;
  }
}

/** Whether a command starts a broker of its own, so that its terminal gets the broker's place and not a wire to it. */
export const startsBroker = (command: string): boolean =>
  /^pnpm (--filter \S+ )?(run )?(broker|cluster)\b/.test(command);

const startsCluster = (command: string) => startsBroker(command) && /\bcluster\b/.test(command);

async function ownBrokers(): Promise<OwnBrokers> {
  const [mqtt, amqps] = await freePorts(2);
  return {
    mqttUrl: `mqtt://127.0.0.1:${mqtt}`,
    amqpsUrl: `amqps://localhost:${amqps}`,
    clusterUrl: await freeClusterUrl(),
  };
}

/** A request to the first node of a cluster that answers. */
const clusterManagement =
  (clusterUrl: string): Management =>
  async <T>(...request: Parameters<Management>) => {
    const management = await managementOfCluster(clusterUrl);
    if (!management) throw new Error("No node of the cluster answers.");
    return management<T>(...request);
  };
