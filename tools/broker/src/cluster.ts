import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Broker, brokerAt, type VirtualHost } from "./broker.ts";
import { type BrokerWay, firstOf, native } from "./find.ts";
import { type Management, type ManagementError, managementApi } from "./management.ts";
import type { Member, StartOptions } from "./options.ts";
import { freePorts, isFree } from "./ports.ts";

export interface ClusterOptions extends Pick<StartOptions, "kind" | "say" | "signal"> {
  /** How many nodes: 3 by default. */
  nodes?: number | undefined;
  /** The nodes' ports for AMQP on 127.0.0.1. By default free ones. */
  ports?: number[] | undefined;
  /** The ports of their management APIs and pages on 127.0.0.1. By default free ones. */
  managementPorts?: number[] | undefined;
}

/** One of a cluster's nodes: a broker that can be killed and started like any other. */
export interface ClusterNode extends Omit<Broker, "stop"> {
  /** As the management API has it: "rabbit2@localhost". */
  name: string;
  /** Whether it has not been killed, or has been started since. */
  running: boolean;
}

/** Several real RabbitMQ nodes that are one broker. */
export interface Cluster {
  nodes: ClusterNode[];
  /** The URLs of all nodes, with commas between them: what AMQP_URL takes. */
  amqpUrl: string;
  /** "3.10.8" */
  version: string;
  /** For people: "RabbitMQ 3.10.8, a private node on this machine, in a cluster of 3". */
  description: string;
  /** A request to the management API of the first node that runs. */
  management: Management;
  /**
   * Finds the node that leads a quorum queue.
   *
   * @param virtualHost Its name, not encoded.
   * @param queue Its name, not encoded.
   * @returns When a running node leads it: after a kill that takes some moments.
   * @throws When there is none after 30 s, or no such queue.
   */
  leader(virtualHost: string, queue: string): Promise<ClusterNode>;
  /**
   * Creates a virtual host on all nodes. Its `amqpUrl` has those of all nodes, as the cluster's own.
   *
   * @param name By default a random one.
   * @throws {ManagementError}
   */
  createVirtualHost(name?: string): Promise<VirtualHost>;
  /** Resolves when every running node knows its queues after a power cut. See `Broker.settle`. */
  settle(): Promise<void>;
  /** Ends all nodes and removes their data. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster of private RabbitMQ nodes, in Docker or from the RabbitMQ on this machine, as `startBroker` finds
 * it (AMQP_URL is not considered). Takes 5 to 12 s, and some 150 MiB for each node.
 *
 *     const cluster = await startCluster();
 *     const { name, amqpUrl } = await cluster.createVirtualHost();
 *     …declare a quorum queue, publish…
 *     await cluster.settle();
 *     const leader = await cluster.leader(name, "tasks");
 *     await leader.kill();
 *     await leader.start();
 *     await cluster.stop();
 *
 * All of it ends with `stop()`, or with this process, by whatever cause that ends.
 *
 * @param options How many nodes, and as for `startBroker`.
 * @returns The cluster, when every node answers and knows of the others.
 * @throws When there is no RabbitMQ, or a node doesn't answer within two minutes; or with the signal's reason.
 */
export function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return firstOf({ ...options, private: true }, async (way) => {
    const { nodes: count = 3, ports = [], managementPorts = [], say, signal } = options;
    const [epmdPort] = (await freePorts(1)) as [number];
    const common = { cluster: `rabbitmq-${randomUUID().slice(0, 8)}`, cookie: randomUUID(), epmdPort };
    const start = async (number: number, starter: BrokerWay, hear?: StartOptions["say"]): Promise<Broker> => {
      const member: Member = { number, ...common };
      const [port, managementPort] = [ports[number - 1], managementPorts[number - 1]];
      return brokerAt(await starter.start({ member, port, managementPort, say: hear, signal }));
    };

    const first = await start(1, way, say);
    say?.(`Starting ${count - 1} more that join it …`);
    // What had to be installed is here now.
    const again = way.kind === "install" ? native : way;
    const joining = Array.from({ length: count - 1 }, (_, index) => start(index + 2, again));
    const started = await Promise.allSettled(joining);
    const brokers = [first, ...started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))];
    const stop = async () => {
      await Promise.all(brokers.map((broker) => broker.stop()));
    };
    try {
      for (const each of started) if (each.status === "rejected") throw each.reason;
      const cluster = clusterOf(brokers, stop);
      await allRunning(cluster, signal);
      say?.(`Broker: ${cluster.description}.`);
      return cluster;
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

function clusterOf(brokers: Broker[], stop: () => Promise<void>): Cluster {
  const nodes = brokers.map(nodeOf);
  const { version, description } = brokers[0] as Broker;
  const running = () => {
    const node = nodes.find((node) => node.running);
    if (!node) throw new Error("No node of the cluster runs.");
    return node;
  };
  return {
    nodes,
    amqpUrl: nodes.map(({ amqpUrl }) => amqpUrl).join(),
    version,
    description: `${description}, in a cluster of ${nodes.length}`,
    management: (...request) => running().management(...request),

    async leader(virtualHost, queue) {
      const path = `/queues/${encodeURIComponent(virtualHost)}/${encodeURIComponent(queue)}`;
      // ms
      const deadline = AbortSignal.timeout(30_000);
      for (;;) {
        const { leader } = await running().management<{ leader?: string }>("GET", path);
        const node = nodes.find(({ name, running }) => running && name === leader);
        if (node) return node;
        if (deadline.aborted) throw new Error(`No running node leads the queue "${queue}".`);
        await setTimeout(50);
      }
    },

    async createVirtualHost(name) {
      const virtualHost = await running().createVirtualHost(name);
      const { pathname } = new URL(virtualHost.amqpUrl);
      return {
        ...virtualHost,
        amqpUrl: nodes.map(({ amqpUrl }) => Object.assign(new URL(amqpUrl), { pathname }).href).join(),
        delete: () => running().management("DELETE", `/vhosts/${encodeURIComponent(virtualHost.name)}`),
      };
    },

    async settle() {
      await Promise.all(nodes.filter(({ running }) => running).map((node) => node.settle()));
    },
    stop,
  };
}

function nodeOf({ stop: _, ...broker }: Broker): ClusterNode {
  const node: ClusterNode = {
    ...broker,
    name: broker.nodeName as string,
    running: true,
    async kill() {
      node.running = false;
      await broker.kill();
    },
    async start() {
      await broker.start();
      node.running = true;
    },
  };
  return node;
}

/** Each node knows of the others some moments after it answers. */
async function allRunning({ nodes }: Cluster, signal: AbortSignal | undefined): Promise<void> {
  // ms
  const deadline = AbortSignal.timeout(60_000);
  for (const { management } of nodes)
    for (;;) {
      signal?.throwIfAborted();
      const known = await management<{ running?: boolean }[]>("GET", "/nodes").catch(
        (error: ManagementError) => error,
      );
      if (Array.isArray(known) && known.filter(({ running }) => running).length === nodes.length) break;
      if (deadline.aborted) throw new Error("The nodes did not form a cluster within a minute.");
      await setTimeout(50);
    }
}

/**
 * The port where `pnpm broker cluster` has a node's management API and page: 15672 for 5672.
 *
 * @param port The node's port for AMQP.
 */
export const managementPortOf = (port: number): number => port + 10_000;

/**
 * Finds a place for `pnpm broker cluster`.
 *
 * @returns What CLUSTER_URL takes: the URLs of three nodes on free ports, whose management ports are free, too.
 */
export async function freeClusterUrl(): Promise<string> {
  const ports = new Set<number>();
  while (ports.size < 3)
    // Beyond, the system gives ports to outgoing connections.
    for (const port of await freePorts(3))
      if (ports.size < 3 && managementPortOf(port) < 32_000 && (await isFree(managementPortOf(port))))
        ports.add(port);
  return [...ports].map((port) => `amqp://127.0.0.1:${port}`).join();
}

/**
 * Finds the cluster that `pnpm broker cluster` runs at some place.
 *
 * @param clusterUrl As CLUSTER_URL.
 * @returns A request to the management API of the first node that answers, or `undefined` when none does.
 */
export async function managementOfCluster(clusterUrl: string): Promise<Management | undefined> {
  for (const url of clusterUrl.split(",")) {
    const management = managementApi(`http://127.0.0.1:${managementPortOf(Number(new URL(url).port))}`);
    if (await management("GET", "/overview").catch(() => undefined)) return management;
  }
  return undefined;
}
