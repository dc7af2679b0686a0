import type { Basis, Queue } from "../protocol.ts";
import type { Channel, Connection, Published } from "./channel.ts";
import type { Context } from "./context.ts";
import type { Trace } from "./firehose.ts";
import { copyOf, type Entry, type Known } from "./ledger.ts";
import type { PassingOf } from "./passing.ts";
import { route } from "./routing.ts";
import { type Content, empty, markOf, messageOf } from "./values.ts";

/** ms after which it is inferred where a message went: soon, when there was no tracing at that moment. */
const WITHOUT_TRACING = 1_000;
const WITH_TRACING = 30_000;
/** ms after which a message without a trace is taken for refused, when its channel was closed for a publish. */
const REFUSED = 5_000;
/** Messages of a channel whose way was inferred, and that are remembered for their traces. */
const LATE = 1_000;
/** The queue that stands for direct reply-to: a reply goes to its requester without one. */
export const REPLY = "amq.rabbitmq.reply-to";

/** What is published, and what becomes of it at the exchange. */
export class Publishing {
  readonly #context: Context;
  readonly #connections: () => Iterable<Connection>;
  /** How many messages of a mark have not been put anywhere yet. */
  readonly #untraced = new Map<string, number>();
  #awaited = 0;
  /** Traces of others that name queues which we don't know, and those for which we have looked. */
  readonly #toLookFor: Trace[] = [];
  readonly #looked = new WeakSet<Trace>();
  readonly #passed = new WeakMap<object, Published>();

  constructor(context: Context, connections: () => Iterable<Connection>) {
    this.#context = context;
    this.#connections = connections;
  }

  /** Whether such a message was published and is still to be put into its queues. */
  awaits(mark: string): boolean {
    return this.#untraced.has(mark);
  }

  /** How many messages are still to be put into their queues. */
  get awaited(): number {
    return this.#awaited;
  }

  /** A publish has passed. Its turn to be told may be later, and its trace come before. */
  passed(channel: Channel, passing: PassingOf<"basic.publish">): void {
    const { exchange, routingKey: key, mandatory } = passing.fields;
    const message: Published = {
      ...this.#known({ exchange, key, ...(passing.content ?? empty) }),
      mandatory,
      at: performance.now(),
      isTold: false,
      mayBeRefused: false,
      traced: undefined,
      routed: undefined,
    };
    this.#passed.set(passing, message);
    channel.untraced.push(message);
    this.#untraced.set(message.mark, (this.#untraced.get(message.mark) ?? 0) + 1);
    this.#awaited++;
  }

  /**
   * It is a publish's turn to be told.
   *
   * @returns Whether its trace has come already, so that it has been put into its queues as well.
   */
  published(channel: Channel, passing: PassingOf<"basic.publish">): boolean {
    const message = this.#passed.get(passing);
    if (!message) return false;
    const { view, mandatory, traced } = message;
    if (channel.confirms) channel.unconfirmed.set(++channel.published, message);
    this.#context.say({ type: "published", message: view, by: channel.connection.terminal, mandatory });
    message.isTold = true;
    if (traced) this.#route(channel, message, traced);
    return traced !== undefined;
  }

  /** The broker has routed a message. */
  traced(trace: Trace): void {
    const claimed = this.#claim(trace, markOf(trace));
    if (!claimed) {
      this.#publishedOutside(trace);
      return;
    }
    const queues = this.#queuesOf(trace);
    const { channel, message } = claimed;
    // Its way may have been inferred meanwhile.
    if (message.routed) return;
    if (message.isTold) this.#route(channel, message, queues);
    else message.traced = queues;
  }

  /**
   * Infers the way of messages whose trace doesn't come.
   *
   * @param connection Whose.
   * @param tracedSince Since when the broker traces without a break. Like `now`, by performance.now().
   */
  giveUpOn(connection: Connection, now: number, tracedSince: number): void {
    for (const channel of connection.channels.values()) {
      for (const message of channel.untraced) {
        const { at, mark, exchange, key, view } = message;
        if (message.routed || !message.isTold) continue;
        if (message.mayBeRefused && now - at > REFUSED) {
          this.#count(mark);
          message.routed = [];
        } else if (now - at > (at > tracedSince ? WITH_TRACING : WITHOUT_TRACING)) {
          const { queues } = route(this.#context.plan, exchange, key, view.headers);
          this.#route(channel, message, queues, "inferred");
        }
      }
      // Should their traces come after all, the last of them are still known.
      const late = channel.untraced.filter(({ routed }) => routed).length - LATE;
      if (late > 0) {
        let left = late;
        channel.untraced = channel.untraced.filter(({ routed }) => !routed || --left < 0);
      }
    }
  }

  /** @returns Whether it could be told: messages are routed before they are confirmed. */
  confirmed(channel: Channel, { method, fields }: PassingOf<"basic.ack" | "basic.nack">): boolean {
    const settled: [number, Published][] = [];
    for (const [number, message] of channel.unconfirmed) {
      if (number > fields.deliveryTag) break;
      if (fields.multiple || number === fields.deliveryTag) settled.push([number, message]);
    }
    if (settled.some(([, { routed }]) => routed === undefined)) return false;
    const to = channel.connection.terminal;
    for (const [number, message] of settled) {
      channel.unconfirmed.delete(number);
      if (method === "basic.ack") this.#context.say({ type: "confirmed", message: message.view.id, to });
      else this.#refused(message, to);
    }
    return true;
  }

  returned(channel: Channel, { fields, content }: PassingOf<"basic.return">): boolean {
    const { exchange, routingKey: key, replyCode, replyText } = fields;
    const mark = markOf(content ?? empty);
    const isIt = (message: Published) =>
      message.mark === mark && message.exchange === exchange && message.key === key && message.mandatory;
    if (channel.untraced.some((message) => isIt(message) && message.routed === undefined)) return false;
    const message = channel.returnable.find(isIt);
    if (!message) return true;
    channel.returnable = channel.returnable.filter((each) => each !== message);
    const reason = `${replyCode} ${replyText}`;
    this.#context.say({
      type: "returned",
      message: message.view.id,
      to: channel.connection.terminal,
      reason,
    });
    return true;
  }

  /**
   * A channel is closed. What it has published may still be traced.
   *
   * @param isForPublish Whether it was closed for a publish: to an exchange that isn't there, or isn't allowed.
   */
  closed(channel: Channel, isForPublish: boolean): void {
    if (isForPublish)
      for (const message of channel.untraced) if (!message.routed) message.mayBeRefused = true;
    channel.unconfirmed.clear();
    channel.returnable = [];
    channel.confirms = false;
    channel.published = 0;
  }

  /** No trace comes any more of what a channel has published. */
  forget(channel: Channel): void {
    for (const { mark, routed } of channel.untraced) if (!routed) this.#count(mark);
    channel.untraced = [];
  }

  /** Somebody whom we don't know has published a message. They may have declared its queue, too: then we look first. */
  #publishedOutside(trace: Trace): void {
    const { plan, look, say } = this.#context;
    if (trace.routedQueues.some((name) => !plan.queue(name)) && !this.#looked.has(trace)) {
      this.#toLookFor.push(trace);
      if (this.#toLookFor.length > 1) return;
      void look()
        .catch(() => {})
        .then(() => {
          for (const each of this.#toLookFor.splice(0)) {
            this.#looked.add(each);
            this.#publishedOutside(each);
          }
        });
      return;
    }
    const known = this.#known(trace);
    say({ type: "published", message: known.view, by: "outside", mandatory: false });
    this.#put(known, this.#queuesOf(trace), false);
  }

  /** Which of the published messages a trace is of. Among alike ones, the first. */
  #claim(trace: Trace, mark: string): { channel: Channel; message: Published } | undefined {
    const connections = [...this.#connections()];
    const named = connections.filter(({ name, traceName }) => (traceName ?? name) === trace.connection);
    // A connection's first trace tells its name: the broker in Docker doesn't see the port that we see.
    const unnamed = connections.filter(({ traceName }) => traceName === undefined);
    for (const candidates of [named, unnamed, connections]) {
      const found = candidates
        .flatMap((connection) => connection.channels.get(trace.channel) ?? [])
        .flatMap((channel) => {
          const message = channel.untraced.find(
            (each) => each.mark === mark && each.exchange === trace.exchange && each.key === trace.key,
          );
          return message ? { channel, message } : [];
        })
        .sort((a, b) => a.message.view.id - b.message.view.id)[0];
      if (!found) continue;
      const { channel, message } = found;
      channel.connection.traceName ??= trace.connection;
      channel.untraced.splice(channel.untraced.indexOf(message), 1);
      return found;
    }
    return undefined;
  }

  #route(channel: Channel, message: Published, queues: string[], basis: Basis = "seen"): void {
    const { mark, mandatory } = message;
    this.#count(mark);
    message.routed = this.#put(message, queues, mandatory, basis);
    if (mandatory && message.routed.length === 0) channel.returnable.push(message);
  }

  /** Of the default exchange the trace names the key as the queue, whether there is such a queue or not. */
  #queuesOf({ exchange, routedQueues }: Trace): string[] {
    const { plan } = this.#context;
    return exchange === "" ? routedQueues.filter((name) => plan.queue(name) !== undefined) : routedQueues;
  }

  #count(mark: string): void {
    this.#awaited--;
    const left = (this.#untraced.get(mark) ?? 1) - 1;
    if (left > 0) this.#untraced.set(mark, left);
    else this.#untraced.delete(mark);
  }

  #known(content: Content): Known {
    const view = messageOf(this.#context.nextMessage(), content);
    return { view, mark: markOf(content), exchange: content.exchange, key: content.key };
  }

  #put(message: Known, queues: string[], mandatory: boolean, basis: Basis = "seen"): Entry[] {
    const { plan, ledger, say } = this.#context;
    const { view, exchange, key } = message;
    // Of a direct reply, 3.10 says that it was routed to no queue, and 4.3 that its key is the queue.
    if (exchange === "" && key.startsWith(`${REPLY}.`)) {
      const entry = ledger.put(REPLY, message);
      const hop = { exchange: "", to: REPLY, kind: "queue", key, why: "binding" } as const;
      say({ type: "routed", message: view.id, copies: [copyOf(entry)], path: [hop] });
      return [entry];
    }
    const { path } = route(plan, exchange, key, view.headers);
    const entries = queues.map((queue) => {
      const isStream = plan.queue(queue)?.type === "stream";
      return ledger.put(queue, message, isStream ? { offset: ledger.nextOffset(queue) } : {});
    });
    if (entries.length > 0)
      say({ type: "routed", message: view.id, copies: entries.map(copyOf), path }, basis);
    // What is mandatory comes back, and that is seen on the wire.
    else if (!mandatory) say({ type: "dropped", message: view.id, exchange, path }, basis);
    return entries;
  }

  /** The broker refuses a message when a queue has no room, and such a queue then doesn't have it. */
  #refused(message: Published, to: string): void {
    const { plan, ledger, say } = this.#context;
    const refusing = (message.routed ?? []).filter(({ queue }) => refuses(plan.queue(queue)));
    for (const entry of refusing) ledger.remove(entry);
    const [full] = refusing;
    say({ type: "nacked", message: message.view.id, to, ...(full ? { full: full.queue } : {}) });
  }
}

/** https://www.rabbitmq.com/docs/maxlength#overflow-behaviour */
const refuses = (queue: Queue | undefined): boolean =>
  String(queue?.arguments["x-overflow"] ?? "").startsWith("reject-publish");
