import { text } from "shared";
import type { Arguments, Binding, Exchange, Figure, Queue, Sight } from "./sight.ts";

/**
 * Draws what a virtual host holds: exchanges, their bindings, and the queues that these lead to.
 *
 * @param sight What `Looker.look` saw.
 * @returns Lines that are safe to print: whoever may declare a queue chose its name, and a terminal obeys control
 *   characters, so each is shown as `\x1b` or `\u202e`.
 */
export function tree(sight: Sight): string[] {
  const { exchanges, queues } = sight;
  const known = new Map(queues.map((queue) => [queue.name, queue]));
  const shown = new Set<string>();
  const exists = (exchange: string) =>
    exchange === "" || exchange.startsWith("amq.") || exchanges.some(({ name }) => name === exchange);

  /** A queue in full the first time; after that, by its name. */
  function queueLines(name: string): string[] {
    const queue = known.get(name);
    if (queue === undefined || shown.has(name))
      return [`queue ${text(name)}${shown.has(name) ? " (see above)" : ""}`];
    shown.add(name);
    return describeQueue(queue, exists);
  }
  const branches = (items: { label: string; binding: Pick<Binding, "to" | "name"> }[]): string[] =>
    items.flatMap(({ label, binding: { to, name } }, index) => {
      const isLast = index === items.length - 1;
      const [head, ...more] = to === "queue" ? queueLines(name) : [`exchange ${text(name)}`];
      return [
        `${isLast ? "└─" : "├─"} ${label}→ ${head}`,
        ...more.map((line) => `${isLast ? " " : "│"}    ${line}`),
      ];
    });

  const lines = [`RabbitMQ ${text(sight.version)}, virtual host ${text(sight.vhost)}`];
  for (const exchange of exchanges) {
    const items = exchange.bindings.map((binding) => ({ label: label(exchange.type, binding), binding }));
    lines.push("", ...describeExchange(exchange, exists));
    lines.push(...(items.length === 0 ? ["└─ no bindings"] : branches(items)));
  }
  const unbound = queues.filter(({ name }) => !shown.has(name));
  if (unbound.length > 0) {
    lines.push("", "exchange (default): leads to every queue by its name; these have no other binding");
    lines.push(
      ...branches(
        unbound.map(({ name }) => ({ label: `${quoted(name)} `, binding: { to: "queue" as const, name } })),
      ),
    );
  }
  if (exchanges.length + queues.length === 0) lines.push("", "It holds no queue, and no exchange of yours.");
  if (queues.some(({ mayLag }) => mayLag.length > 0))
    lines.push("", "~ as RabbitMQ last counted it, some seconds ago. All other figures are exact.");
  if (sight.remark !== undefined) lines.push(`${text(sight.remark)} So more figures have a ~.`);
  return lines;
}

function describeExchange(exchange: Exchange, exists: (exchange: string) => boolean): string[] {
  const { name, type, durable, autoDelete, internal, policy } = exchange;
  const { "alternate-exchange": alternate, ...others } = exchange.arguments;
  const traits = [type, !durable && "transient", autoDelete && "auto-delete", internal && "internal"];
  return [
    `exchange ${text(name)} (${listed(traits)})`,
    ...(alternate === undefined
      ? []
      : [`│  what it can't route goes to ${exchangeNamed(alternate, exists)}`]),
    ...(Object.keys(others).length === 0 ? [] : [`│  arguments: ${pairs(others)}`]),
    ...(policy === undefined ? [] : [`│  policy: ${text(policy)}`]),
  ];
}

function describeQueue(queue: Queue, exists: (exchange: string) => boolean): string[] {
  const { type, durable, exclusive, autoDelete, state, policy, policyDefinition } = queue;
  const {
    "x-queue-type": _,
    "x-dead-letter-exchange": exchange = policyDefinition["dead-letter-exchange"],
    "x-dead-letter-routing-key": key = policyDefinition["dead-letter-routing-key"],
    ...others
  } = queue.arguments;
  const isWell = ["running", "live", "idle", "flow"].includes(state);
  const traits = [
    type,
    !durable && !exclusive && "transient",
    exclusive && "exclusive",
    autoDelete && "auto-delete",
    !isWell && state,
  ];
  const figure = (name: Figure, unit: string = name) =>
    `${queue.mayLag.includes(name) ? "~" : ""}${queue[name] ?? "?"} ${unit}`;
  const figures = [
    figure("ready"),
    figure("unacked"),
    figure("consumers", queue.consumers === 1 ? "consumer" : "consumers"),
  ];
  return [
    `queue ${text(queue.name)} (${listed(traits)}): ${figures.join(", ")}`,
    ...(exchange === undefined
      ? []
      : [
          `dead letters go to ${exchangeNamed(exchange, exists)}${key === undefined ? "" : ` with key ${quoted(key)}`}`,
        ]),
    ...(Object.keys(others).length === 0 ? [] : [`arguments: ${pairs(others)}`]),
    ...(policy === undefined ? [] : [`policy: ${text(policy)} ${pairs(policyDefinition)}`.trimEnd()]),
  ];
}

/** What a message must have to take a binding. In a fanout exchange, nothing. */
function label(type: string, { key, arguments: args }: Binding): string {
  const { "x-match": match = "all", ...headers } = args;
  if (type === "headers") {
    const all = pairs(headers, match === "all-with-x" || match === "any-with-x");
    if (all === "") return String(match).startsWith("any") ? "no message " : "every message ";
    return `${text(String(match))} of ${all} `;
  }
  const also = Object.keys(args).length === 0 ? "" : `(${pairs(args)}) `;
  return type === "fanout" && key === "" ? also : `${quoted(key)} ${also}`;
}

function exchangeNamed(name: unknown, exists: (exchange: string) => boolean): string {
  if (name === "") return "the default exchange";
  return `exchange ${text(String(name))}${exists(String(name)) ? "" : ", which does not exist"}`;
}

/** Of a headers binding, those that begin with "x-" count only where `x-match` says "with-x". */
const pairs = (values: Arguments, withX?: boolean): string =>
  Object.entries(values)
    .filter(([name]) => withX !== false || !name.startsWith("x-"))
    .map(([name, value]) => `${text(name)}=${quoted(value)}`)
    .join(", ");

const quoted = (value: unknown): string => text(JSON.stringify(value));
const listed = (traits: (string | false)[]): string => text(traits.filter(Boolean).join(", "));
