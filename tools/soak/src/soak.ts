import { setTimeout as pause } from "node:timers/promises";
import amqp from "amqplib";
import { type Broker, progress, startBroker } from "broker";
import { type Fault, faults, type Kind, kinds } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { type Outcome, report, type Sample, seconds } from "./report.ts";
import { Side } from "./side.ts";

export interface Options {
  /** How long faults come. */
  minutes: number;
  /** How many at most. */
  faults: number;
  seed: number;
  /** Which kinds of faults come, and how often. */
  deck: readonly Kind[];
  /** How soon all must be back after a fault, in s. */
  within: number;
}

/**
 * Has publishers and consumers run on the shared helper while faults come, each as soon as everybody has recovered
 * from the one before. Prints a line for each fault, and figures at the end.
 *
 * @param options What comes, and for how long.
 * @param interrupted The first signal: no more faults, and the figures so far.
 * @returns Whether all that was confirmed was received, and everybody was back in time.
 * @throws When there is no broker.
 */
export async function soak(options: Options, interrupted: AbortSignal): Promise<boolean> {
  const failed = new AbortController();
  const fail = (error: Error) => failed.abort(error);
  const ledger = new Ledger();
  const outcomes: Outcome[] = [];
  const samples: Sample[] = [];
  const { say, end } = progress();
  let broker: Broker | undefined;
  let node: Side | undefined;
  let trouble: Error | undefined;

  /** Gives up after a while, or when a program has ended by itself. */
  const patience = () => AbortSignal.any([failed.signal, AbortSignal.timeout(options.within * 1000)]);

  async function measureMemory(side: Side) {
    for (const client of side.longLiving)
      samples.push({ process: client.name, faults: outcomes.length, ...(await client.memory(patience())) });
    globalThis.gc?.();
    const { rss, heapUsed: heap } = process.memoryUsage();
    samples.push({ process: "soak", faults: outcomes.length, rss, heap });
  }

  try {
    broker = await startBroker({ private: true, say, signal: interrupted });
    end();
    node = new Side("node", [portOf(broker)], ["quorum", "classic"], ledger, fail);
    await node.open(AbortSignal.any([failed.signal, AbortSignal.timeout(60_000)]));
    await broker.settle();
    await node.recovered(performance.now(), patience());
    await measureMemory(node);

    const over = AbortSignal.timeout(options.minutes * 60_000);
    for (const fault of faults(options.seed, options.deck)) {
      if (over.aborted || interrupted.aborted || outcomes.length >= options.faults) break;
      const { what, away } = await strike(fault, broker, node, patience);
      outcomes.push({ kind: fault.kind, away });
      const back = away.length > 0 ? `back after ${seconds(Math.max(...away))}` : "nobody was away";
      console.log(`${String(outcomes.length).padStart(5)}  ${what}: ${back}`);
      if (outcomes.length % 10 === 0) await measureMemory(node);
    }
    if (outcomes.length % 10 !== 0) await measureMemory(node);
    await node.close(broker.amqpUrl, AbortSignal.any([failed.signal, AbortSignal.timeout(60_000)]));
  } catch (error) {
    if (!broker) throw error;
    trouble = error as Error;
  } finally {
    end();
    await node?.kill();
    await broker?.stop();
  }

  const figures = ledger.figures();
  for (const line of report(figures, outcomes, samples)) console.log(line);
  if (trouble) console.error(`\n${trouble.message}`);
  return figures.lost.length === 0 && !trouble;
}

/** Has a fault come, puts right what it broke, and waits until everybody has recovered. */
async function strike(
  { kind, random }: Fault,
  broker: Broker,
  side: Side,
  patience: () => AbortSignal,
): Promise<{ what: string; away: number[] }> {
  const pick = <Item>(items: Item[]) => items[Math.floor(random() * items.length)] as Item;
  const recovered = (since: number) => side.recovered(since, patience());

  switch (kind) {
    case "cut": {
      const client = pick(side.clients);
      const times = 1 + Math.floor(random() * 3);
      for (let cut = 1; ; cut++) {
        client.disconnected();
        client.cable.cut(random() < 0.5);
        if (cut === times) break;
        // Again, while it connects, logs in, declares or has just subscribed.
        await client.cable.nextConnection(patience());
        await pause(random() * 50);
      }
      const what = `${kinds[kind]}${times > 1 ? ` ${times} times` : ""}, ${client.name}`;
      return { what, away: await recovered(performance.now()) };
    }
    case "closed": {
      const client = pick(side.clients);
      client.disconnected();
      await broker.closeConnections("/", new RegExp(`^soak ${client.name}$`));
      return { what: `${kinds[kind]}, ${client.name}`, away: await recovered(performance.now()) };
    }
    case "worker": {
      const killed = performance.now();
      await side.replaceWorker();
      return { what: kinds[kind], away: await recovered(killed) };
    }
    case "alarm": {
      const blocked = side.publisher.heard("blocked", patience());
      await broker.memoryAlarm(true);
      await blocked;
      await broker.memoryAlarm(false);
      return { what: kinds[kind], away: await recovered(performance.now()) };
    }
    case "broker": {
      for (const client of side.clients) client.disconnected();
      await broker.kill();
      const [since] = await Promise.all([reachable(broker.amqpUrl), broker.start()]);
      return { what: kinds[kind], away: await recovered(since) };
    }
    case "theft": {
      await steal(broker.amqpUrl, pick(side.queues));
      return { what: kinds[kind], away: await recovered(performance.now()) };
    }
    case "leader":
      throw new Error("There is no cluster.");
  }
}

/** Waits until a broker accepts connections. Returns when that was, by `performance.now()`. */
async function reachable(amqpUrl: string): Promise<number> {
  for (;;) {
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
}

/** Takes a message away, and tells nobody. */
async function steal(amqpUrl: string, queue: string): Promise<void> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await new Promise((resolve) => channel.consume(queue, resolve, { noAck: true }));
  await connection.close();
}

const portOf = ({ amqpUrl }: Broker): number => Number(new URL(amqpUrl).port);
