import { setTimeout as pause } from "node:timers/promises";
import amqp from "amqplib";
import { type Broker, type Cluster, startBroker, startCluster } from "broker";
import { progress } from "cli";
import { type Fault, type FaultKind, faults, kinds } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { type FaultOutcome, report, type Sample, seconds } from "./report.ts";
import { Side } from "./side.ts";

export interface SoakOptions {
  /** How long faults come. */
  minutes: number;
  /** How many at most. */
  faults: number;
  seed: number;
  /** Which kinds of faults come, and how often. */
  deck: readonly FaultKind[];
  /** How soon all must be back after a fault, in s. */
  within: number;
}

/**
 * Has publishers and consumers run on the shared library while faults come, each as soon as all programs have recovered
 * from the one before. Prints a line for each fault, and figures at the end.
 *
 * @param options What comes, and for how long.
 * @param interrupted The first signal: no more faults, and the figures so far.
 * @returns Whether all that was confirmed was received or dead-lettered, and all programs were back in time.
 * @throws When there is no broker.
 */
export async function soak(options: SoakOptions, interrupted: AbortSignal): Promise<boolean> {
  const failed = new AbortController();
  const fail = (error: Error) => failed.abort(error);
  const ledger = new Ledger();
  const outcomes: FaultOutcome[] = [];
  const samples: Sample[] = [];
  const { say, end } = progress();
  const places: Places = {};
  let trouble: Error | undefined;

  /** Gives up after so many s, or when a program has ended by itself. */
  const patience = (seconds = options.within) => {
    const late = AbortSignal.timeout(seconds * 1000);
    // Node 20 collects one that only another signal depends on: it would never abort.
    late.addEventListener("abort", () => {});
    return AbortSignal.any([failed.signal, late]);
  };

  async function measureMemory() {
    for (const client of sidesOf(places).flatMap(({ longLiving }) => longLiving))
      samples.push({ process: client.name, faults: outcomes.length, ...(await client.memory(patience())) });
    globalThis.gc?.();
    const { rss, heapUsed: heap } = process.memoryUsage();
    samples.push({ process: "soak", faults: outcomes.length, rss, heap });
  }

  try {
    await startBrokers(places, options.deck.includes("leader"), say, interrupted);
    end();
    const { broker, cluster } = places as Required<Places>;
    places.node = new Side("node", [broker], ["quorum", "classic", "short"], ledger, fail);
    if (cluster) places.group = new Side("cluster", cluster.nodes, ["quorum"], ledger, fail);
    for (const side of sidesOf(places)) {
      await side.open(patience(START));
      await side.recovered(performance.now(), patience(START));
    }
    await broker.settle();
    await cluster?.settle();
    await measureMemory();
    const { amqpUrl, managementUrl } = broker;
    console.log(`To see it: AMQP_URL=${amqpUrl} RABBITMQ_MANAGEMENT_URL=${managementUrl} pnpm live --watch`);

    const over = AbortSignal.timeout(options.minutes * 60_000);
    for (const fault of faults(options.seed, options.deck)) {
      if (over.aborted || interrupted.aborted || outcomes.length >= options.faults) break;
      const { what, away } = await strike(fault, places as Required<Places>, patience);
      outcomes.push({ kind: fault.kind, away });
      const back = away.length > 0 ? `back after ${seconds(Math.max(...away))}` : "no consumer was away";
      console.log(`${String(outcomes.length).padStart(5)}  ${what}: ${back}`);
      if (outcomes.length % 10 === 0) await measureMemory();
    }
    if (outcomes.length % 10 !== 0) await measureMemory();
    for (const side of sidesOf(places)) await side.close(patience(START));
  } catch (error) {
    if (!places.node) throw error;
    trouble = error as Error;
  } finally {
    end();
    for (const side of sidesOf(places)) await side.kill();
    await Promise.all([places.broker?.stop(), places.cluster?.stop()]);
  }

  const figures = ledger.figures();
  for (const line of report(figures, outcomes, samples)) console.log(line);
  if (trouble) console.error(`\n${trouble.message}`);
  return figures.lost.length === 0 && !trouble;
}

/** s; a bound for what is no fault: the start and the end. */
const START = 60;

/** What runs. */
interface Places {
  broker?: Broker;
  /** Where leaders are killed. */
  cluster?: Cluster | undefined;
  node?: Side;
  group?: Side | undefined;
}

const sidesOf = ({ node, group }: Places): Side[] => [node, group].filter((side) => side !== undefined);

async function startBrokers(
  places: Places,
  withCluster: boolean,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const started = await Promise.allSettled([
    startBroker({ private: true, say, signal }).then((broker) => {
      places.broker = broker;
    }),
    withCluster &&
      startCluster({ say, signal }).then((cluster) => {
        places.cluster = cluster;
      }),
  ]);
  // Whichever has started is known by now, and will be stopped.
  for (const each of started) if (each.status === "rejected") throw each.reason;
}

/** Has a fault come, puts right what it broke, and waits until all programs have recovered. */
async function strike(
  { kind, random }: Fault,
  { broker, cluster, node, group }: Required<Places>,
  patience: () => AbortSignal,
): Promise<{ what: string; away: number[] }> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const { name } = kinds[kind];
  const side = pick(sidesOf({ node, group }));
  const client = pick(side.clients);
  const how = pick(["fin", "rst"] as const);

  switch (kind) {
    case "cut":
      client.cut(how);
      return recovery(client.name);
    case "setup": {
      const methods = client === side.publisher ? publishing : consuming;
      const times = 1 + Math.floor(random() * 3);
      for (let cut = 0; cut < times; cut++) {
        const stopped = client.calls(pick(methods), Math.floor(random() * 40), patience());
        client.cut(how);
        await stopped;
      }
      client.cut(how);
      return recovery(`${times > 1 ? `${times} times, ` : ""}${client.name}`);
    }
    case "silent":
    case "half-open": {
      const direction = kind === "silent" ? undefined : pick(["to-broker", "to-client"] as const);
      client.disconnected();
      client.wire.freeze(direction);
      // One of the two sides has missed its heartbeats.
      await client.connects(patience());
      client.wire.thaw();
      client.cut(how);
      return recovery(`${direction ? `${direction}, ` : ""}${client.name}`);
    }
    case "closed": {
      const client = pick(node.clients);
      client.disconnected();
      await broker.closeConnections("/", new RegExp(`^soak ${client.name}$`));
      return recovery(client.name, node);
    }
    case "worker": {
      const since = performance.now();
      await side.replaceWorker();
      return recovery(side.name, side, since);
    }
    case "full": {
      await withoutDeliveries(
        node.publisher.heard("complained", patience(), (line) => line.includes("refused")),
      );
      return recovery("", node);
    }
    case "poison":
    case "unreadable":
      await side.deadLettered(await side.publisher.send(kind, patience()), patience());
      return recovery(side.name);
    case "alarm": {
      const blocked = node.publisher.heard("complained", patience(), (line) => line.includes("accepts no"));
      await Promise.all([blocked, broker.memoryAlarm(true)]);
      await broker.memoryAlarm(false);
      return recovery("", node);
    }
    case "broker": {
      for (const client of node.clients) client.disconnected();
      await broker.kill();
      const started = broker.start();
      const [since] = await Promise.all([reachable(broker.amqpUrl, started), started]);
      return recovery("", node, since);
    }
    case "leader": {
      if (!cluster || !group) throw new Error("There is no cluster whose leader could be killed.");
      const leader = await cluster.leader("/", "quorum");
      for (const client of group.clients)
        if (client.wire.connections.some(({ to }) => to === leader.amqpUrl)) client.disconnected();
      const since = performance.now();
      await leader.kill();
      const recovered = await recovery(leader.name, group, since, { served: true });
      await leader.start();
      return recovered;
    }
    case "theft":
      await withoutDeliveries(steal(broker.amqpUrl, pick(node.queues)));
      return recovery("", node);
  }

  /** Keeps deliveries from the node's consumers until something has happened: messages stay in the queues. */
  async function withoutDeliveries(happening: Promise<unknown>) {
    for (const { wire } of node.consumers) wire.hold("to-client");
    await happening;
    for (const { wire } of node.consumers) wire.release("to-client");
  }

  async function recovery(whom: string, of = side, since = performance.now(), options = {}) {
    const away = await of.recovered(since, patience(), options);
    return { what: [name, whom].filter(Boolean).join(", "), away };
  }
}

/** What a client says until it is ready, where its connection is cut. */
const connecting = ["connection.start-ok", "connection.open", "channel.open", "queue.declare"] as const;
const publishing = [...connecting, "confirm.select"] as const;
const consuming = [...connecting, "basic.qos", "basic.consume"] as const;

/**
 * Waits until a broker accepts connections.
 *
 * @param started Rejects when it never will.
 * @returns When that was, by `performance.now()`.
 */
async function reachable(amqpUrl: string, started: Promise<void>): Promise<number> {
  let ended = false;
  started.catch(() => {
    ended = true;
  });
  while (!ended) {
    try {
      const connection = await amqp.connect(amqpUrl, { noDelay: true, timeout: 5_000 });
      const since = performance.now();
      await connection.on("error", () => {}).close();
      return since;
    } catch {
      // ms between two attempts
      await pause(20);
    }
  }
  throw new Error("The broker did not start again.");
}

/** Takes one message out of a queue, without any program's knowledge. Waits until there is one. */
async function steal(amqpUrl: string, queue: string): Promise<void> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  // ms between two attempts
  while (!(await channel.get(queue, { noAck: true }))) await pause(20);
  await connection.close();
}
