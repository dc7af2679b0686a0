import { readFileSync } from "node:fs";
import type { Readme } from "stage";
import type { Entry } from "../feed/ledger.ts";
import { anchorOf } from "../pages/anchor.ts";
import type { Description, Exchange, ObjectName, Queue, Value } from "../protocol.ts";
import { Refused } from "../refused.ts";
import type { World } from "./world.ts";

/** Messages of a queue that are listed. */
const MOST = 20;

/**
 * Describes something in the picture.
 *
 * @param object What.
 * @param world Where it is.
 * @param readme The lesson that may explain it.
 * @throws {Refused} When there is no such thing (any more).
 */
export function describe(object: ObjectName, world: World, readme: Readme): Description {
  const it = describeIt(object, world);
  if (!it) throw new Refused(404, "It isn't there any more.");
  const anchor = whereExplained(readme, it.words);
  const { words: _, ...description } = it;
  return { ...description, ...(anchor === undefined ? {} : { anchor }) };
}

/** A description, and the words to look for in the lesson, the best first. */
type Found = Omit<Description, "anchor"> & { words: string[] };

function describeIt(object: ObjectName, world: World): Found | undefined {
  switch (object.kind) {
    case "queue":
      return describeQueue(object.name, world);
    case "exchange":
      return describeExchange(object.name, world);
    case "binding":
      return describeBinding(object, world);
    case "program":
      return describeProgram(object.terminal, world);
    case "message":
      return describeMessage(object.message, world);
  }
}

const kinds: Record<Queue["type"], string> = {
  classic: "A classic queue. Its messages are on one node.",
  quorum: "A quorum queue. Each message is on most of its nodes before it is confirmed.",
  stream: "A stream: a log that many can read, each from where it likes. Reading removes nothing.",
  reply: "Direct reply-to: a reply goes to its requester without a queue.",
};

function describeQueue(name: string, { feed, virtualHost }: World): Found | undefined {
  const queue = feed.plan.queue(name);
  if (!queue) return undefined;
  const { ready = 0, unacked = 0 } = feed.ledger.counts().get(name) ?? {};
  const consumers = feed.plan.consumers.filter((consumer) => consumer.queue === name);
  return {
    title: name,
    text: kinds[queue.type],
    facts: [
      fact("type", queue.type),
      fact("messages ready", ready),
      fact("messages unacknowledged", unacked),
      fact("consumers", consumers.length),
      fact("survives a restart of the broker", queue.durable),
      ...(queue.exclusive ? [fact("exclusive", "gone when the connection that declared it closes")] : []),
      ...(queue.autoDelete ? [fact("auto-delete", "gone when its last consumer leaves")] : []),
      ...(queue.deadLetterExchange === undefined
        ? []
        : [fact("dead letters go to", queue.deadLetterExchange || "(default)")]),
      ...(queue.nodes ? [fact("on the nodes", queue.nodes.join(", "))] : []),
      ...argumentsOf(queue.arguments),
    ],
    messages: feed.first(name, MOST).map(listed),
    command: `rabbitmqctl list_queues --vhost ${virtualHost.name} name type messages_ready messages_unacknowledged consumers arguments`,
    words: [name, queue.type, "queue"],
  };
}

const ways: Record<string, string> = {
  direct: "A direct exchange: a message goes to the queues that are bound with exactly its routing key.",
  fanout: "A fanout exchange: a message goes to every queue that is bound to it.",
  topic: "A topic exchange: a binding's key may hold * for one word and # for any number of words.",
  headers: "A headers exchange: a binding's arguments are compared with the message's headers.",
};

function describeExchange(name: string, { feed, virtualHost }: World): Found | undefined {
  const exchange = feed.plan.exchange(name);
  if (!exchange) return undefined;
  const bindings = feed.plan.bindings.filter((binding) => binding.exchange === name);
  return {
    title: name || "(default)",
    text: textOf(exchange),
    facts: [
      fact("type", exchange.type),
      ...(name === "" ? [] : [fact("bindings", bindings.length)]),
      fact("survives a restart of the broker", exchange.durable),
      ...(exchange.alternate === undefined
        ? []
        : [fact("what no binding matches goes to", exchange.alternate)]),
      ...argumentsOf(exchange.arguments),
    ],
    messages: [],
    command: `rabbitmqctl list_exchanges --vhost ${virtualHost.name} name type durable arguments`,
    words: [name || "default exchange", exchange.type, "exchange"],
  };
}

const textOf = ({ name, type }: Exchange) =>
  name === ""
    ? "The default exchange: a message goes to the queue whose name is its routing key."
    : (ways[type] ?? `An exchange of the type ${type}.`);

function describeBinding(
  { exchange, to, key }: Extract<ObjectName, { kind: "binding" }>,
  { feed, virtualHost }: World,
): Found | undefined {
  const binding = feed.plan.bindings.find(
    (each) => each.exchange === exchange && each.to === to && each.key === key,
  );
  if (!binding) return undefined;
  return {
    title: `${exchange} → ${to}`,
    text: `Messages of the exchange ${exchange} that match go to the ${binding.kind} ${to}.`,
    facts: [fact("key", key || "(empty)"), ...argumentsOf(binding.arguments)],
    messages: [],
    command: `rabbitmqctl list_bindings --vhost ${virtualHost.name}`,
    words: [key, to, "binding"],
  };
}

function describeProgram(terminal: string, { feed, virtualHost }: World): Found {
  const consumers = feed.plan.consumers.filter((consumer) => consumer.terminal === terminal);
  const held = feed.ledger.queues.flatMap((queue) =>
    feed.ledger.in(queue).filter(({ holder }) => holder === terminal),
  );
  return {
    title: terminal === "you" ? "You" : terminal,
    text:
      consumers.length > 0
        ? `It consumes from ${[...new Set(consumers.map(({ queue }) => queue))].join(", ")}.`
        : "It consumes from no queue now.",
    facts: [
      fact("messages in hand", held.length),
      ...consumers.flatMap(({ queue, prefetch, acks }) => [
        fact(`prefetch on ${queue}`, prefetch === 0 ? "as many as there are" : prefetch),
        fact(`acknowledges on ${queue}`, acks),
      ]),
    ],
    messages: held.slice(0, MOST).map(listed),
    command: `rabbitmqctl list_consumers --vhost ${virtualHost.name}`,
    words: ["prefetch", "consumer", "ack"],
  };
}

function describeMessage(id: number, { feed }: World): Found | undefined {
  const found = feed.message(id);
  if (!found) return undefined;
  const { message, queues } = found;
  return {
    title: `Message ${id}`,
    text: `It is in ${queues.join(", ")}.`,
    facts: [
      fact("exchange", message.exchange || "(default)"),
      fact("routing key", message.key),
      fact("bytes", message.size),
      ...argumentsOf(message.properties),
      ...argumentsOf(message.headers, "header "),
    ],
    messages: [{ message }],
    words: [message.key, "message"],
  };
}

const listed = ({ view, holder }: Entry) => ({
  message: view,
  ...(holder === undefined ? {} : { holder }),
});

const fact = (name: string, value: string | number | boolean) => ({
  name,
  value: typeof value === "boolean" ? (value ? "yes" : "no") : String(value),
});

const argumentsOf = (table: Record<string, Value>, prefix = "") =>
  Object.entries(table).map(([name, value]) =>
    fact(`${prefix}${name}`, typeof value === "string" ? value : JSON.stringify(value)),
  );

/** The first section of the lesson that has one of the words. */
function whereExplained({ path }: Readme, words: string[]): string | undefined {
  const sections = readFileSync(path, "utf8").split(/^## /m).slice(1);
  for (const word of words.filter((each) => each.length > 2)) {
    const found = sections.find((section) => section.includes(word));
    if (found) return anchorOf(found.split("\n", 1)[0] ?? "");
  }
  return undefined;
}
