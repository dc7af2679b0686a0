import type { Copy, HeldMethod, Hop, LiveEvent } from "../src/protocol.ts";
import type { Messages } from "./messages.ts";
import type { Programs } from "./programs.ts";
import { count, cut, visible } from "./text.ts";

/** What is known of the messages and programs that an event names. */
export interface Known {
  messages: Messages;
  programs: Programs;
  /** The program that reads from a queue. */
  readerOf(queue: string): string | undefined;
}

/** @returns What an event means, in a sentence; `undefined` for one that needs no words. */
export function inWords(event: LiveEvent, known: Known): string | undefined {
  const { messages, programs } = known;
  const who = (id: string) => programs.name(id);
  const queueName = (name: string) => nameOfQueue(name, known.readerOf(name));
  const what = (id: number) => {
    const message = messages.get(id);
    return message ? quoted(message) : "a message";
  };
  switch (event.type) {
    case "published": {
      const { message, by } = event;
      return `${who(by)} publishes ${quoted(message)} to ${exchangeName(message.exchange)} with the routing key ${key(message.key)}.`;
    }
    case "routed":
      return routedInWords(event.copies, event.path, queueName);
    case "dropped":
      return `No binding of ${exchangeName(event.exchange)} matches ${key(messages.get(event.message)?.key ?? "")}: ${what(event.message)} is dropped.`;
    case "returned":
      return `The broker returns ${what(event.message)} to ${who(event.to)}: ${visible(event.reason)}.`;
    case "confirmed":
      return `The broker confirms ${what(event.message)} to ${who(event.to)}: it has taken it over.`;
    case "nacked":
      return event.full === undefined
        ? `The broker refuses ${what(event.message)} from ${who(event.to)}.`
        : `${queueName(event.full)} is full: the broker refuses ${what(event.message)} from ${who(event.to)}.`;
    case "delivered":
      return deliveredInWords(event, what(event.message), who(event.to), queueName(event.queue));
    case "acked":
      return `${who(event.by)} acknowledges ${what(event.message)}, and ${queueName(event.queue)} forgets it.`;
    case "rejected":
      return `${who(event.by)} rejects ${what(event.message)}, and doesn't want it back.`;
    case "requeued":
      return requeuedInWords(event.why, what(event.message), who(event.by), queueName(event.queue));
    case "expired":
      return `${what(event.message)} has waited too long in ${queueName(event.queue)}: it expires${inferred(event.basis)}.`;
    case "pushed-out":
      return `${queueName(event.queue)} is full: its oldest message, ${what(event.message)}, makes room${inferred(event.basis)}.`;
    case "delivery-limit":
      return `${what(event.message)} has been given back more often than ${queueName(event.queue)} allows${inferred(event.basis)}.`;
    case "purged":
      return `${queueName(event.queue)} is purged: ${what(event.message)} is deleted.`;
    case "gone":
      return `${queueName(event.queue)} no longer has ${what(event.message)}, and the broker doesn't tell why.`;
    case "dead-lettered":
      return deadLetteredInWords(event, what(event.message), queueName);
    case "proved":
      return `${what(event.message)} has now been seen in ${queueName(event.queue)}.`;
    case "empty":
      return `${who(event.by)} asks ${queueName(event.queue)} for a message: there is none.`;
    case "connected":
      return `${who(event.terminal)} connects.`;
    case "disconnected":
      return event.unacked === 0
        ? `${who(event.terminal)} disconnects.`
        : `${who(event.terminal)} is cut off with ${count(event.unacked, "unacknowledged message")} in hand.`;
    case "closed":
      return `The broker closes a ${event.what} of ${who(event.terminal)}: ${event.code} ${visible(event.text)}.`;
    case "blocked":
      return `The broker reads nothing more from ${who(event.terminal)}: ${visible(event.reason)}.`;
    case "unblocked":
      return `The broker reads from ${who(event.terminal)} again.`;
    case "topology":
      return changesInWords(event.changes);
    case "held":
      return `The wire holds this ${heldInWords(event.what, who(event.terminal))}: ${quoted(event)}. Let it go to continue.`;
    case "totals": {
      const published = event.published.reduce((sum, each) => sum + each.count, 0);
      if (published === 0) return undefined;
      const perSecond = Math.round((published * 1000) / event.span);
      return `More messages than an eye can follow: ${perSecond.toLocaleString("en")} a second. The edges show rates.`;
    }
    case "notice":
      return visible(event.text);
    case "broker":
      return event.state === "restarting" ? "The broker restarts." : "The broker is up again.";
    case "terminal":
      if (event.terminal.isGuest) return undefined;
      return `A terminal opens: ${visible(event.terminal.command)}`;
    case "ended":
      return `${who(event.terminal)} has ended${event.ok ? "" : `: ${event.how}`}.`;
    case "pressed":
      return `${event.key === "^C" ? "Ctrl-C" : event.key} is pressed in ${who(event.terminal)}'s terminal.`;
    case "finished":
      if (event.ok) return "The scenario has ended, and printed exactly what the lesson shows.";
      return event.difference.length === 0
        ? "The scenario has been stopped."
        : "The scenario has ended, and printed something else than the lesson shows.";
    default:
      return undefined;
  }
}

/** @returns "publish by send" */
export const heldInWords = (what: HeldMethod, program: string): string =>
  what === "deliver" ? `delivery to ${program}` : `${what} by ${program}`;

/** @returns "“Boot finished”", cut for a sentence. */
function quoted({ body }: { body: string }): string {
  return body === "" ? "an empty message" : `“${cut(visible(body), 40)}”`;
}

const key = (routingKey: string) => (routingKey === "" ? "(none)" : visible(routingKey));

export const exchangeName = (name: string): string => (name === "" ? "the default exchange" : visible(name));

/** A name that the broker made up is no name to a reader. */
export function nameOfQueue(name: string, reader: string | undefined): string {
  if (name.startsWith("amq.gen-"))
    return reader === undefined ? "a queue named by the broker" : `the queue of ${reader}`;
  return name.startsWith("amq.rabbitmq.reply-to") ? "direct reply-to" : visible(name);
}

const inferred = (basis: "seen" | "inferred") =>
  basis === "inferred" ? " (inferred: the broker doesn't tell)" : "";

function routedInWords(all: Copy[], path: Hop[], queueName: (name: string) => string): string {
  const copies = all.length;
  const { queue = "" } = all[0] ?? {};
  const alternate = path.find(({ why }) => why === "alternate");
  const exchange = exchangeName(path[0]?.exchange ?? "");
  const before = alternate
    ? `No binding matches, so ${exchangeName(alternate.exchange)} hands it to its alternate exchange ${exchangeName(alternate.to)}. `
    : "";
  if (queue.startsWith("amq.rabbitmq.reply-to"))
    return "The exchange hands the reply straight to the program that asked.";
  if (copies === 1) return `${before}The exchange puts it into ${queueName(queue)}.`;
  const way =
    path.some(({ kind }) => kind === "exchange") && !alternate
      ? `${exchange} and the exchanges behind it put`
      : `${exchange} puts`;
  return `${before}${alternate ? "It puts" : capital(way)} a copy into each of ${copies} queues.`;
}

function deliveredInWords(
  event: Extract<LiveEvent, { type: "delivered" }>,
  what: string,
  to: string,
  from: string,
): string {
  const { queue, redelivered, acks, offset } = event;
  if (offset !== undefined) return `${to} reads ${what} at offset ${offset}. The stream keeps it.`;
  const again = redelivered ? ", marked as redelivered" : "";
  if (queue.startsWith("amq.rabbitmq.reply-to")) return `${to} receives the reply ${what}.`;
  const after = acks
    ? "It stays in the queue until it is acknowledged."
    : "It counts as done at once (auto-ack).";
  if (queue.startsWith("amq.gen-")) return `${to} gets ${what} from its queue${again}. ${after}`;
  return `${capital(from)} delivers ${what} to ${to}${again}. ${after}`;
}

function requeuedInWords(why: string, what: string, by: string, queue: string): string {
  switch (why) {
    case "connection lost":
      return `${by}'s connection is lost: ${what} goes back to its place in ${queue}.`;
    case "rejected":
      return `${by} gives ${what} back: ${queue} will deliver it again.`;
    default:
      return `${by}: ${why}, so ${what} goes back to ${queue}.`;
  }
}

function deadLetteredInWords(
  event: Extract<LiveEvent, { type: "dead-lettered" }>,
  what: string,
  queueName: (name: string) => string,
): string {
  const queues = event.copies.map(({ queue }) => queueName(queue)).join(", ");
  const to = queues === "" ? "no queue: no binding matches" : queues;
  return `${capital(queueName(event.queue))} dead-letters ${what} by ${exchangeName(event.exchange)} to ${to}${inferred(event.basis)}.`;
}

function changesInWords(changes: { what: string; how: string; name: string }[]): string | undefined {
  if (changes.length === 0) return undefined;
  const words = changes.slice(0, 3).map(({ what, how, name }) => `${what} ${visible(name)} ${how}`);
  if (changes.length > 3) words.push(`and ${changes.length - 3} more`);
  return `${capital(words.join(", "))}.`;
}

const capital = (text: string) => (/^the /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);
