import type { Management } from "broker";
import { fits } from "./lines.ts";
import type { Diagram } from "./readme.ts";

/** Exchanges, queues and the bindings between them, drawn or real. Bindings refer to both by their ids. */
export interface Topology {
  exchanges: { id: string; name: string; type: string }[];
  queues: { id: string; name: string }[];
  /** The key of a binding to a headers exchange is its arguments: `format=pdf, x-match=all` */
  bindings: { source: string; destination: string; key: string }[];
}

/** What diagrams call the exchange without a name. Drawn, it has no type. */
const DEFAULT = "(default)";

// Words of mermaid's own, which it won't take for a node.
const reserved = [
  "end",
  "graph",
  "flowchart",
  "subgraph",
  "direction",
  "style",
  "linkStyle",
  "class",
  "classDef",
  "click",
];

type Node = { id: string; kind?: "program" | "exchange" | "queue"; label?: string; line: number };
type Edge = { from: string; to: string; key: string; line: number };

/**
 * Reads a diagram in a small part of mermaid's language, the same in every README:
 *
 * - The first line is `flowchart LR`. A line that begins with `%%` is a comment.
 * - `p(["pub"])` is a program. `x{{"topic_logs (topic)"}}` is an exchange and its type, `x{{"(default)"}}` the default
 *   one. `q[("task_queue")]` is a queue; `…` in its name stands for any text, so `amq.gen-…` is one that the broker
 *   names. A node has its shape where it first or later appears, and labels are quoted.
 * - `p --> x` publishes (`p -- "key" --> x` says with which key), `q --> c` consumes: neither is compared.
 * - `x -- "kern.*" --> q` is a binding and its key, `x --> q` one with an empty key, for a headers exchange its
 *   arguments: `x -- "x-match=all, format=pdf" --> q`. An exchange may be bound to another one.
 * - `a -.-> b` and `a -. "label" .-> b` are remarks between whatever nodes, which aren't compared.
 *
 * @param diagram A README's.
 * @returns Its exchanges, queues and bindings.
 * @throws When a line is anything else, or makes no sense in AMQP: with its number in the file.
 */
export function readDiagram({ text, line: firstLine }: Diagram): Topology {
  const nodes = new Map<string, Node>();
  const edges: Edge[] = [];
  for (const [index, source] of text.split("\n").entries()) {
    const line = firstLine + index;
    if (index === 0) {
      if (source.trim() !== "flowchart LR") refuse(line, `A diagram begins with "flowchart LR".`);
    } else if (!/^\s*(%%.*)?$/.test(source)) readStatement(source.trim(), line, nodes, edges);
  }
  return toTopology(nodes, edges);
}

function readStatement(statement: string, line: number, nodes: Map<string, Node>, edges: Edge[]): void {
  let rest = statement;
  const take = (pattern: RegExp) => {
    const found = pattern.exec(rest);
    if (found) rest = rest.slice(found[0].length);
    return found;
  };
  const node = () => {
    const id = take(/^\w+/)?.[0] ?? refuse(line, `Here a node's id was expected: ${rest || "(end of line)"}`);
    if (reserved.includes(id)) refuse(line, `"${id}" is a word of mermaid's own. Give the node another id.`);
    const known: Node = nodes.get(id) ?? { id, line };
    nodes.set(id, known);
    const shape = take(/^(?:\(\["([^"]*)"\]\)|\{\{"([^"]*)"\}\}|\[\("([^"]*)"\)\])/);
    if (!shape) return id;
    const [, program, exchange, queue] = shape;
    const label = program ?? exchange ?? queue ?? "";
    const kind = program !== undefined ? "program" : exchange !== undefined ? "exchange" : "queue";
    if (known.kind && (known.kind !== kind || known.label !== label))
      refuse(line, `"${id}" was something else before: ${known.kind} "${known.label}".`);
    Object.assign(known, { kind, label });
    return id;
  };

  let from = node();
  while (rest !== "") {
    const edge =
      take(/^\s*(?:--\s*"([^"]*)"\s*)?-->\s*/) ??
      take(/^\s*()(?:-\.->|-\.\s*"[^"]*"\s*\.->)\s*/) ??
      refuse(line, `Here an edge was expected: ${rest}`);
    const to = node();
    if (!edge[0].includes(".->")) edges.push({ from, to, key: edge[1] ?? "", line });
    from = to;
  }
}

function toTopology(nodes: Map<string, Node>, edges: Edge[]): Topology {
  const topology: Topology = { exchanges: [], queues: [], bindings: [] };
  const names = new Set<string>();
  for (const { id, kind, label = "", line } of nodes.values()) {
    if (!kind) refuse(line, `"${id}" has no shape: (["program"]), {{"exchange (type)"}} or [("queue")].`);
    if (kind === "program") continue;
    if (names.has(`${kind} ${label}`) && !label.includes("…"))
      refuse(line, `Two nodes are the ${kind} "${label}".`);
    names.add(`${kind} ${label}`);
    if (kind === "queue") topology.queues.push({ id, name: label });
    else if (label === DEFAULT) topology.exchanges.push({ id, name: "", type: "direct" });
    else {
      const [, name, type] =
        /^(.+) \(([\w-]+)\)$/.exec(label) ??
        refuse(line, `"${label}" is no exchange: expected "name (type)".`);
      topology.exchanges.push({ id, name: name as string, type: type as string });
    }
  }

  for (const { from, to, key, line } of edges) {
    const [source, destination] = [nodes.get(from)?.kind, nodes.get(to)?.kind];
    if (source === "exchange" && destination !== "program") {
      const headers = topology.exchanges.find(({ id }) => id === from)?.type === "headers";
      const args = key.split(",").map((pair) => pair.trim());
      topology.bindings.push({ source: from, destination: to, key: headers ? args.sort().join(", ") : key });
    } else if (
      !(source === "program" && destination === "exchange") &&
      !(source === "queue" && destination === "program")
    )
      refuse(
        line,
        `No message goes from ${source} to ${destination}: a program publishes to an exchange, an exchange is ` +
          "bound to a queue or an exchange, a queue has consumers. For anything else draw -.->",
      );
  }
  return topology;
}

function refuse(line: number, reason: string): never {
  throw new Error(`Line ${line}: ${reason}`);
}

interface RealBinding {
  source: string;
  destination: string;
  destination_type: "queue" | "exchange";
  routing_key: string;
  arguments: Record<string, unknown>;
}

/**
 * Asks a broker for what it holds.
 *
 * @param management Its management API.
 * @param vhost The virtual host's name.
 * @returns Its exchanges, queues and bindings, those that RabbitMQ makes by itself included.
 * @throws What `management` throws.
 */
export async function readTopology(management: Management, vhost: string): Promise<Topology> {
  const list = <T>(kind: string) => management<T[]>("GET", `/${kind}/${encodeURIComponent(vhost)}`);
  const [exchanges, queues, bindings] = await Promise.all([
    list<{ name: string; type: string }>("exchanges"),
    list<{ name: string }>("queues"),
    list<RealBinding>("bindings"),
  ]);
  const headers = new Set(exchanges.filter(({ type }) => type === "headers").map(({ name }) => name));
  return {
    exchanges: exchanges.map(({ name, type }) => ({ id: `exchange ${name}`, name, type })),
    queues: queues.map(({ name }) => ({ id: `queue ${name}`, name })),
    bindings: bindings.map(({ source, destination, destination_type, routing_key, arguments: args }) => ({
      source: `exchange ${source}`,
      destination: `${destination_type} ${destination}`,
      key: headers.has(source)
        ? Object.entries(args)
            .map(([name, value]) => `${name}=${value}`)
            .sort()
            .join(", ")
        : routing_key,
    })),
  };
}

/**
 * Makes a drawn and a real topology comparable: a line for each exchange and each queue with its bindings.
 *
 * What is drawn must be there, and the other way round. Two things needn't be drawn: exchanges that RabbitMQ makes
 * by itself (`amq.*` and the default one), and the binding of the default exchange that every queue has.
 *
 * @returns Sorted lines, which are the same when the topologies are.
 */
export function compareTopologies(drawn: Topology, real: Topology): { drawn: string[]; real: string[] } {
  const exchanges = new Set(drawn.exchanges.map(({ name }) => name));
  const isListed = (name: string) => exchanges.has(name) || !(name === "" || name.startsWith("amq."));
  const queues = drawn.queues.map(({ name }) => name);
  const keys = drawn.bindings.map(({ key }) => key);
  const boundToDefault = new Set(
    drawn.bindings
      .filter(({ source }) => nameOf(drawn, source) === "")
      .map((it) => nameOf(drawn, it.destination)),
  );

  const asDrawn: Topology = {
    exchanges: real.exchanges,
    queues: real.queues.map(({ id, name }) => ({ id, name: likeOneOf(queues, name) })),
    bindings: real.bindings.map((binding) => ({ ...binding, key: likeOneOf(keys, binding.key) })),
  };
  asDrawn.bindings = asDrawn.bindings.filter(
    ({ source, destination }) =>
      nameOf(asDrawn, source) !== "" || boundToDefault.has(nameOf(asDrawn, destination)),
  );
  return { drawn: linesOf(drawn, isListed), real: linesOf(asDrawn, isListed) };
}

/** The name as it was drawn, where it was drawn with a `…` that fits. */
function likeOneOf(drawn: string[], name: string): string {
  return drawn.includes(name) ? name : (drawn.find((pattern) => fits(pattern, name)) ?? name);
}

function nameOf({ exchanges, queues }: Topology, id: string): string | undefined {
  return [...exchanges, ...queues].find((it) => it.id === id)?.name;
}

function linesOf(topology: Topology, isListed: (exchange: string) => boolean): string[] {
  const withBindings = (what: string, id: string) => {
    const bindings = topology.bindings
      .filter(({ destination }) => destination === id)
      .map(({ source, key }) => `${nameOf(topology, source) || DEFAULT} "${key}"`);
    return [what, bindings.sort().join(", ")].filter(Boolean).join(" <- ");
  };
  const exchanges = topology.exchanges
    .filter(({ name }) => isListed(name))
    .map(({ id, name, type }) => withBindings(`exchange ${name ? `${name} (${type})` : DEFAULT}`, id));
  return [...exchanges, ...topology.queues.map(({ id, name }) => withBindings(`queue ${name}`, id))].sort();
}
