import type { Management } from "broker";
import type { Binding, Change, Consumer, Exchange, Queue, Topology, Value } from "../protocol.ts";
import { tableOf } from "./values.ts";

/** A queue with the count that the management API has of it. */
export interface Counted extends Queue {
  /** Messages that are ready. Of a quorum queue or a stream, seconds old. */
  ready: number;
  /** Whether its leader is there and most of its members are: else no count of it means anything. */
  isWhole: boolean;
}

interface ApiQueue {
  name: string;
  type?: string;
  durable?: boolean;
  exclusive?: boolean;
  auto_delete?: boolean;
  arguments?: Record<string, unknown>;
  effective_policy_definition?: Record<string, unknown>;
  messages_ready?: number;
  leader?: string;
  members?: string[];
  online?: string[];
}

interface ApiExchange {
  name: string;
  type: string;
  durable: boolean;
  internal: boolean;
  arguments: Record<string, unknown>;
}

interface ApiBinding {
  source: string;
  destination: string;
  destination_type: "queue" | "exchange";
  routing_key: string;
  arguments: Record<string, unknown>;
}

/**
 * Asks a broker by three requests what a virtual host has.
 *
 * @param hidden A queue that is no part of any lesson: the firehose's own.
 * @throws {ManagementError}
 */
export async function readPlan(
  management: Management,
  vhost: string,
  hidden: string,
): Promise<Omit<Topology, "consumers" | "queues"> & { queues: Counted[] }> {
  const list = <T>(kind: string, query = "") =>
    management<T[]>("GET", `/${kind}/${encodeURIComponent(vhost)}${query}`);
  const [exchanges, queues, bindings] = await Promise.all([
    list<ApiExchange>("exchanges"),
    list<ApiQueue>("queues", "?disable_stats=true&enable_queue_totals=true"),
    list<ApiBinding>("bindings"),
  ]);
  const types = new Map(exchanges.map(({ name, type }) => [name, type]));
  return {
    exchanges: exchanges.map((each) => exchangeOf(each, tableOf(each.arguments))),
    queues: queues
      .filter(({ name }) => name !== hidden)
      .map((queue) => ({
        ...queueOf({
          name: queue.name,
          durable: queue.durable === true,
          exclusive: queue.exclusive === true,
          autoDelete: queue.auto_delete === true,
          // A policy counts like the arguments that it stands for.
          arguments: { ...fromPolicy(queue.effective_policy_definition), ...tableOf(queue.arguments) },
          ...(queue.type === undefined ? {} : { type: queue.type }),
        }),
        ...nodesOf(queue),
        ready: queue.messages_ready ?? 0,
        isWhole: isWhole(queue),
      })),
    bindings: bindings
      .filter(({ source, destination }) => source !== "" && destination !== hidden)
      .map((each) =>
        bindingOf(types, {
          exchange: each.source,
          to: each.destination,
          kind: each.destination_type,
          key: each.routing_key,
          arguments: tableOf(each.arguments),
        }),
      ),
  };
}

/** Completes an exchange by what its arguments say. */
export function exchangeOf(
  { name, type, durable, internal }: Omit<ApiExchange, "arguments">,
  args: Record<string, Value>,
): Exchange {
  const alternate = args["alternate-exchange"];
  return {
    name,
    type,
    durable,
    internal,
    arguments: args,
    ...(typeof alternate === "string" ? { alternate } : {}),
  };
}

/** Completes a queue by what its arguments say. */
export function queueOf(
  queue: Omit<Queue, "type" | "deadLetterExchange" | "deadLetterKey"> & { type?: string },
): Queue {
  const args = queue.arguments;
  const type = queue.type ?? args["x-queue-type"] ?? "classic";
  const exchange = args["x-dead-letter-exchange"];
  const key = args["x-dead-letter-routing-key"];
  return {
    ...queue,
    type: type === "quorum" || type === "stream" ? type : "classic",
    ...(typeof exchange === "string" ? { deadLetterExchange: exchange } : {}),
    ...(typeof key === "string" ? { deadLetterKey: key } : {}),
  };
}

/** Completes a binding: a headers exchange looks at its arguments, and its key means nothing. */
export function bindingOf(types: ReadonlyMap<string, string>, binding: Binding): Binding {
  if (types.get(binding.exchange) !== "headers") return binding;
  const pairs = Object.entries(binding.arguments).map(([name, value]) => `${name}=${value}`);
  return { ...binding, key: pairs.sort().join(", ") };
}

const nodesOf = ({ leader, members = [] }: ApiQueue) =>
  members.length > 1
    ? { nodes: [...(leader ? [leader] : []), ...members.filter((node) => node !== leader)] }
    : {};

const isWhole = ({ leader, members = [], online = [] }: ApiQueue) =>
  members.length === 0 ||
  (online.length * 2 > members.length && leader !== undefined && online.includes(leader));

const fromPolicy = (definition: Record<string, unknown> = {}) =>
  Object.fromEntries(Object.entries(tableOf(definition)).map(([name, value]) => [`x-${name}`, value]));

/** What there is, by what was seen on the wire and by what the management API says, which is a little later. */
export class Plan {
  readonly #on: (topology: Topology, changes: Change[]) => void;
  #exchanges = new Map<string, Seen<Exchange>>();
  #queues = new Map<string, Seen<Queue>>();
  #bindings = new Map<string, Seen<Binding>>();
  #consumers: Consumer[] = [];
  #shown: Parts = new Map();
  #said = "";

  /** @param on Hears all there is whenever it changes, and what has changed. */
  constructor(on: (topology: Topology, changes: Change[]) => void) {
    this.#on = on;
  }

  get exchanges(): Exchange[] {
    return valuesOf(this.#exchanges);
  }
  get queues(): Queue[] {
    return valuesOf(this.#queues);
  }
  get bindings(): Binding[] {
    return valuesOf(this.#bindings);
  }
  get consumers(): Consumer[] {
    return this.#consumers;
  }

  queue(name: string): Queue | undefined {
    return this.#queues.get(name)?.value;
  }
  exchange(name: string): Exchange | undefined {
    return this.#exchanges.get(name)?.value;
  }

  addExchange(exchange: Exchange): void {
    if (!this.#exchanges.has(exchange.name)) this.#exchanges.set(exchange.name, seen(exchange));
    this.show();
  }
  addQueue(queue: Queue): void {
    if (!this.#queues.has(queue.name)) this.#queues.set(queue.name, seen(queue));
    this.show();
  }
  addBinding(binding: Binding): void {
    const whole = bindingOf(this.#types(), binding);
    this.#bindings.set(nameOfBinding(whole), seen(whole));
    this.show();
  }
  removeQueue(name: string): void {
    this.#queues.delete(name);
    for (const [id, { value }] of this.#bindings)
      if (value.kind === "queue" && value.to === name) this.#bindings.delete(id);
    this.show();
  }
  setConsumers(consumers: Consumer[]): void {
    this.#consumers = consumers;
    this.show();
  }

  /**
   * Takes over what the management API has said.
   *
   * @param plan Its answer.
   * @param askedAt When it was asked, by performance.now(): what was seen since then may be missing in it.
   * @returns The queues that are gone.
   */
  adopt(plan: Pick<Topology, "exchanges" | "queues" | "bindings">, askedAt: number): string[] {
    const before = [...this.#queues.keys()];
    this.#exchanges = merged(this.#exchanges, plan.exchanges, ({ name }) => name, askedAt);
    // Whether a queue is exclusive, the API of 3.10 doesn't tell.
    const queues = plan.queues.map((queue) => ({
      ...queue,
      exclusive: queue.exclusive || (this.queue(queue.name)?.exclusive ?? false),
    }));
    this.#queues = merged(this.#queues, queues, ({ name }) => name, askedAt);
    this.#bindings = merged(this.#bindings, plan.bindings, nameOfBinding, askedAt);
    this.show();
    return before.filter((name) => !this.#queues.has(name));
  }

  /** Says what there is, and that all of it is new. */
  retell(): void {
    this.#said = "";
    this.#shown = new Map();
    this.show();
  }

  /** Says what there is, if that has changed. */
  show(): void {
    const topology = this.topology();
    const said = JSON.stringify(topology);
    if (said === this.#said) return;
    const parts = partsOf(topology);
    const changes = [...changesTo(this.#shown, parts, "removed"), ...changesTo(parts, this.#shown, "added")];
    this.#shown = parts;
    this.#said = said;
    this.#on(topology, changes);
  }

  /** What there is, in a fixed order, without the exchanges that RabbitMQ makes by itself and that no binding uses. */
  topology(): Topology {
    const bindings = this.bindings.sort(by(nameOfBinding));
    const used = new Set(
      bindings.flatMap(({ exchange, kind, to }) => [exchange, ...(kind === "exchange" ? [to] : [])]),
    );
    return {
      exchanges: this.exchanges
        .filter(({ name }) => !name.startsWith("amq.") || used.has(name))
        .sort(by(({ name }) => name)),
      queues: this.queues.sort(by(({ name }) => name)),
      bindings,
      consumers: this.#consumers.toSorted(by(nameOfConsumer)),
    };
  }

  #types(): Map<string, string> {
    return new Map(this.exchanges.map(({ name, type }) => [name, type]));
  }
}

interface Seen<T> {
  value: T;
  /** By performance.now(). */
  at: number;
}
type Parts = Map<string, Pick<Change, "what" | "name">>;

const seen = <T>(value: T): Seen<T> => ({ value, at: performance.now() });
const valuesOf = <T>(map: Map<string, Seen<T>>): T[] => [...map.values()].map(({ value }) => value);
const by =
  <T>(name: (value: T) => string) =>
  (a: T, b: T): number =>
    name(a) < name(b) ? -1 : 1;

function merged<T>(known: Map<string, Seen<T>>, told: T[], nameOf: (value: T) => string, askedAt: number) {
  const next = new Map(told.map((value) => [nameOf(value), { value, at: askedAt }]));
  for (const [name, each] of known) if (each.at >= askedAt && !next.has(name)) next.set(name, each);
  return next;
}

const nameOfBinding = ({ exchange, to, kind, key }: Binding) => JSON.stringify([exchange, kind, to, key]);
const nameOfConsumer = ({ terminal, queue, tag }: Consumer) => JSON.stringify([terminal, queue, tag]);

function partsOf({ exchanges, queues, bindings, consumers }: Topology): Parts {
  const parts: Parts = new Map();
  for (const { name, type } of exchanges)
    if (name !== "") parts.set(`exchange ${name}`, { what: "exchange", name: `${name} (${type})` });
  for (const { name } of queues) parts.set(`queue ${name}`, { what: "queue", name });
  for (const binding of bindings) {
    const { exchange, to, key } = binding;
    const name = `${exchange} → ${to}${key === "" ? "" : ` (${key})`}`;
    parts.set(`binding ${nameOfBinding(binding)}`, { what: "binding", name });
  }
  for (const consumer of consumers) {
    const name = `${consumer.queue} → ${consumer.terminal}`;
    parts.set(`consumer ${nameOfConsumer(consumer)}`, { what: "consumer", name });
  }
  return parts;
}

const changesTo = (parts: Parts, others: Parts, how: Change["how"]): Change[] =>
  [...parts].filter(([id]) => !others.has(id)).map(([, part]) => ({ ...part, how }));
