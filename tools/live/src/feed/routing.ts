import type { Binding, Hop, Topology, Value } from "../protocol.ts";

/** Where a message goes. */
export interface Route {
  /** Each queue once, as the broker does it. */
  queues: string[];
  path: Hop[];
}

/**
 * Works out where a message goes, as the bindings say.
 *
 * @param topology What there is.
 * @param exchange Where it is published: "" is the default exchange.
 * @param key Its routing key.
 * @param headers Its headers. Those named CC and BCC hold more routing keys.
 */
export function route(
  topology: Pick<Topology, "exchanges" | "queues" | "bindings">,
  exchange: string,
  key: string,
  headers: Record<string, Value> = {},
): Route {
  const keys = [key, ...listOf(headers.CC), ...listOf(headers.BCC)];
  const queues = new Set<string>();
  const path: Hop[] = [];
  const visited = new Set<string>();
  const visit = (name: string) => {
    if (visited.has(name)) return;
    visited.add(name);
    const hops = hopsFrom(topology, name, keys, headers);
    path.push(...hops);
    for (const { kind, to } of hops)
      if (kind === "queue") queues.add(to);
      else visit(to);
  };
  visit(exchange);
  return { queues: [...queues], path };
}

function hopsFrom(
  { exchanges, queues, bindings }: Pick<Topology, "exchanges" | "queues" | "bindings">,
  name: string,
  keys: string[],
  headers: Record<string, Value>,
): Hop[] {
  if (name === "")
    return queues
      .filter((queue) => keys.includes(queue.name))
      .map((queue) => ({ exchange: "", to: queue.name, kind: "queue", key: queue.name, why: "binding" }));
  const exchange = exchanges.find((each) => each.name === name);
  if (!exchange) return [];
  const hops = bindings
    .filter(
      (binding) =>
        binding.exchange === name && keys.some((key) => matches(exchange.type, binding, key, headers)),
    )
    .map(({ to, kind, key }): Hop => ({ exchange: name, to, kind, key, why: "binding" }));
  if (hops.length > 0 || exchange.alternate === undefined) return hops;
  return [{ exchange: name, to: exchange.alternate, kind: "exchange", key: "", why: "alternate" }];
}

/**
 * Whether a binding lets a message through.
 *
 * @param type The exchange's: direct, fanout, topic or headers. Other types let nothing through that we could tell.
 */
export function matches(
  type: string,
  { key: pattern, arguments: wanted }: Pick<Binding, "key" | "arguments">,
  key: string,
  headers: Record<string, Value>,
): boolean {
  if (type === "fanout") return true;
  if (type === "direct") return pattern === key;
  if (type === "topic") return matchesTopic(pattern.split("."), key.split("."));
  return type === "headers" && matchesHeaders(wanted, headers);
}

function matchesTopic(pattern: string[], key: string[]): boolean {
  const [word, ...rest] = pattern;
  if (word === undefined) return key.length === 0;
  if (word === "#") return matchesTopic(rest, key) || (key.length > 0 && matchesTopic(pattern, key.slice(1)));
  return key.length > 0 && (word === "*" || word === key[0]) && matchesTopic(rest, key.slice(1));
}

/** https://www.rabbitmq.com/docs/exchanges#headers: only all-with-x and any-with-x look at headers that begin with x-. */
function matchesHeaders(wanted: Record<string, Value>, headers: Record<string, Value>): boolean {
  const { "x-match": how = "all", ...others } = wanted;
  const names = Object.keys(others).filter((name) => String(how).endsWith("-with-x") || !/^x-/.test(name));
  const fits = (name: string) =>
    Object.hasOwn(headers, name) && (others[name] === null || others[name] === headers[name]);
  return String(how).startsWith("any") ? names.some(fits) : names.every(fits);
}

const listOf = (value: Value | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);
