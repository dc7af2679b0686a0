import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { flag, progress, readCommandLine, UsageError } from "cli";
import { type Cluster, type ClusterNode, managementPortOf, startCluster } from "./cluster.ts";
import { readKind } from "./kind.ts";
import { ManagementError } from "./management.ts";
import { isFree } from "./ports.ts";

/**
 * The command line of `pnpm broker cluster`.
 *
 * @param args What follows.
 * @returns The exit code.
 */
export async function cluster(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
  const { kind, ports } = options;
  for (const taken of ports.flatMap((port) => [port, managementPortOf(port)])) {
    if (await isFree(taken)) continue;
    console.error(
      `Port ${taken} is in use. If another RabbitMQ is there, end it, or see CLUSTER_URL in --help.`,
    );
    return 1;
  }

  const stopping = new AbortController();
  const { signal } = stopping;
  for (const each of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(each, () => stopping.abort());
  const { say, end } = progress();
  try {
    const managementPorts = ports.map(managementPortOf);
    const cluster = await startCluster({ kind, ports, managementPorts, say, signal });
    const watch = new Watch(cluster);
    const input = createInterface({ input: process.stdin });
    // One after the other, as they were typed.
    let busy: Promise<void> = Promise.resolve();
    input.on("line", (line) => {
      busy = busy.then(() => obey(line.trim(), cluster, watch)).catch(sayWhy);
    });
    for (const [index, { name }] of cluster.nodes.entries())
      console.log(
        `${index + 1}. ${name}: amqp://localhost:${ports[index]}, management page http://localhost:${managementPorts[index]}`,
      );
    console.log(" [*] Waiting for kill or start. To exit press CTRL+C");
    while (!signal.aborted) {
      await watch.look().catch((error: unknown) => {
        // A node that is killed while it is asked doesn't answer. Next time another one is asked.
        if (!(error instanceof ManagementError && error.status === undefined)) sayWhy(error);
      });
      // ms
      await setTimeout(250, undefined, { signal }).catch(() => {});
    }
    input.close();
    await cluster.stop();
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    sayWhy(error);
    return 1;
  } finally {
    end();
  }
}

const sayWhy = (error: unknown) => console.error(` [!] ${(error as Error).message}`);

async function obey(line: string, { nodes, settle }: Cluster, watch: Watch): Promise<void> {
  const [command = "", ...numbers] = line.split(/\s+/);
  if (command === "kill") {
    const chosen = numbers.length > 0 ? numbers.map((number) => nodes[Number(number) - 1]) : [watch.leader];
    const running = chosen.filter((node): node is ClusterNode => node?.running === true);
    if (running.length === 0) throw new Error("That is no running node, and no quorum queue has a leader.");
    // A quorum queue declared a moment ago must outlive this. See Broker.settle.
    await settle();
    for (const { name } of running) console.log(` [!] Killing ${name}`);
    await Promise.all(running.map((node) => node.kill()));
  } else if (command === "start") {
    const dead = nodes.filter(({ running }) => !running);
    await Promise.all(
      dead.map(async (node) => {
        await node.start();
        console.log(` [.] ${node.name} is back`);
      }),
    );
  } else if (line !== "") throw new Error("Type kill, kill 1 3, or start.");
}

interface QuorumQueue {
  vhost: string;
  name: string;
  type: string;
  leader?: string;
  members?: string[];
}

/** Says who leads the quorum queues, when that changes. */
class Watch {
  /** Of the queue that was named last. */
  leader: ClusterNode | undefined;
  readonly #cluster: Cluster;
  readonly #said = new Map<string, string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async look(): Promise<void> {
    const { nodes, management } = this.#cluster;
    if (!nodes.some(({ running }) => running)) return;
    for (const { vhost, name, type } of await management<QuorumQueue[]>(
      "GET",
      "/queues?columns=vhost,name,type",
    )) {
      if (type !== "quorum") continue;
      const path = `/queues/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`;
      const { leader, members = [] } = await management<QuorumQueue>("GET", path);
      const left = nodes.filter((node) => node.running && members.includes(node.name));
      const leading = left.find((node) => node.name === leader);
      if (members.length > 0 && left.length * 2 <= members.length)
        this.#say(path, ` [!] ${name} has no leader: ${left.length} of its ${members.length} members left`);
      else if (leading) {
        this.leader = leading;
        this.#say(path, ` [.] ${name} is led by ${leader}`);
      }
    }
  }

  #say(queue: string, line: string): void {
    if (this.#said.get(queue) !== line) console.log(line);
    this.#said.set(queue, line);
  }
}

function parse(args: string[]) {
  return readCommandLine(
    args,
    {
      name: "pnpm broker cluster",
      about: `Runs three RabbitMQ nodes in one cluster in the foreground until Ctrl-C, on 127.0.0.1 only: AMQP on the ports 5672,
5673 and 5674, the management pages on 15672, 15673 and 15674. Nothing is kept when it ends. It prints which node leads
each quorum queue, and does what is typed:

  kill          kills the node that leads the queue named last, as a power cut would
  kill 1 3      kills the first and the third
  start         starts all again that were killed`,
      options: {
        docker: flag("Only Docker"),
        native: flag("Only this machine's RabbitMQ, installed now if need be"),
      },
      more: `CLUSTER_URL may name three other ports on this machine:
  CLUSTER_URL=amqp://localhost:20001,amqp://localhost:20002,amqp://localhost:20003`,
    },
    ({ docker, native }) => ({ kind: readKind(docker, native), ports: portsOf(process.env.CLUSTER_URL) }),
  );
}

function portsOf(urls = "amqp://localhost:5672,amqp://localhost:5673,amqp://localhost:5674"): number[] {
  const ports = urls.split(",").map((url) => (URL.canParse(url) ? Number(new URL(url).port) : 0));
  if (ports.length !== 3 || ports.includes(0))
    throw new UsageError("CLUSTER_URL needs three URLs, each with its port, and commas between them");
  const all = [...ports, ...ports.map(managementPortOf)];
  if (new Set(all).size < all.length || Math.max(...all) > 65535)
    throw new UsageError(
      "CLUSTER_URL needs three ports that differ, and each port plus 10000 must be free for its management page",
    );
  return ports;
}
