import type { Table } from "wire";
import type { Asked, Channel } from "./channel.ts";
import type { Context } from "./context.ts";
import type { Deaths } from "./deaths.ts";
import type { Trace } from "./firehose.ts";
import { copyOf, type Entry } from "./ledger.ts";
import type { PassingOf } from "./passing.ts";
import type { Publishing } from "./publishing.ts";
import { type Content, empty, markOf, messageOf } from "./values.ts";

type Delivery = PassingOf<"basic.deliver" | "basic.get-ok">;
type Settlement = PassingOf<"basic.ack" | "basic.nack" | "basic.reject">;

/** What is delivered, and what its consumer makes of it. */
export class Deliveries {
  readonly #context: Context;
  readonly #publishing: Publishing;
  readonly #deaths: Deaths;

  constructor(context: Context, publishing: Publishing, deaths: Deaths) {
    this.#context = context;
    this.#publishing = publishing;
    this.#deaths = deaths;
  }

  asksToConsume(channel: Channel, { fields }: PassingOf<"basic.consume">): void {
    const { queue, noAck, exclusive, arguments: args } = fields;
    const from = args["x-stream-offset"];
    channel.consuming.push({
      queue: queue || channel.lastQueue,
      acks: !noAck,
      exclusive,
      priority: Number(args["x-priority"] ?? 0),
      ...(from === undefined ? {} : { from: from instanceof Date ? from.toISOString() : String(from) }),
    });
  }

  consumes(channel: Channel, { fields }: PassingOf<"basic.consume-ok">): void {
    const asked = channel.consuming.shift();
    if (!asked) return;
    const { terminal } = channel.connection;
    const { prefetch } = channel;
    const tag = fields.consumerTag;
    channel.consumers.set(tag, { ...asked, tag, terminal, prefetch, paused: false });
  }

  asksToGet(channel: Channel, { fields }: PassingOf<"basic.get">): void {
    channel.getting.push({ queue: fields.queue || channel.lastQueue, acks: !fields.noAck });
  }

  gotNothing(channel: Channel): void {
    const { queue = "" } = channel.getting.shift() ?? {};
    this.#context.say({ type: "empty", queue, by: channel.connection.terminal });
  }

  /**
   * @param patient Whether it may still become clear where this message comes from.
   * @returns Whether it could be told.
   */
  delivered(channel: Channel, { method, fields, content = empty }: Delivery, patient: boolean): boolean {
    const source: (Asked & { tag?: string }) | undefined =
      method === "basic.deliver" ? channel.consumers.get(fields.consumerTag) : channel.getting[0];
    if (!source) return true;
    const { queue, acks } = source;
    const { exchange, routingKey: key, redelivered, deliveryTag } = fields;
    const message = { ...content, exchange, key };
    const isStream = this.#context.plan.queue(queue)?.type === "stream";
    const entry = isStream
      ? this.#inStream(queue, message, patient)
      : this.#inQueue(queue, message, redelivered, patient);
    if (!entry) return false;
    if (method === "basic.get-ok") channel.getting.shift();

    const { ledger, say } = this.#context;
    if (entry.inferred) {
      entry.inferred = false;
      say({ type: "proved", ...copyOf(entry) });
    }
    if (!isStream) {
      entry.deliveries++;
      if (acks) {
        entry.holder = channel.connection.terminal;
        channel.unacked.set(deliveryTag, entry);
      } else ledger.remove(entry);
    }
    say({
      type: "delivered",
      ...copyOf(entry),
      to: channel.connection.terminal,
      tag: source.tag ?? "",
      redelivered,
      acks: acks && !isStream,
      ...(entry.offset === undefined ? {} : { offset: entry.offset }),
    });
    return true;
  }

  settled(channel: Channel, { method, fields }: Settlement): void {
    const by = channel.connection.terminal;
    for (const [tag, entry] of channel.unacked) {
      // 0 with `multiple` means all.
      if (fields.deliveryTag !== 0 && tag > fields.deliveryTag) break;
      if (tag !== fields.deliveryTag && !("multiple" in fields && fields.multiple)) continue;
      channel.unacked.delete(tag);
      if (method === "basic.ack") {
        this.#context.ledger.remove(entry);
        this.#context.say({ type: "acked", by, ...copyOf(entry) });
      } else if (fields.requeue) this.#requeue(entry, by, "rejected");
      else this.#deaths.died(entry, "rejected", by);
    }
  }

  /**
   * What a channel has not acknowledged goes back to its queues.
   *
   * @returns How many messages those are.
   */
  giveBack(channel: Channel, why: "connection lost" | "channel closed"): number {
    const entries = [...channel.unacked.values()];
    for (const entry of entries) this.#requeue(entry, channel.connection.terminal, why);
    channel.unacked.clear();
    channel.consumers.clear();
    channel.consuming.length = 0;
    channel.getting.length = 0;
    return entries.length;
  }

  /** `basic.recover`: all that is not acknowledged goes back, and the consumers stay. */
  recovered(channel: Channel): void {
    for (const entry of channel.unacked.values())
      this.#requeue(entry, channel.connection.terminal, "rejected");
    channel.unacked.clear();
  }

  /** Somebody whom we don't know has been given a message. Whether they acknowledge it isn't known. */
  deliveredOutside(trace: Trace): void {
    const { ledger, say } = this.#context;
    const entry = ledger.find(trace.queue, markOf(trace), trace, trace.redelivered);
    if (!entry) return;
    ledger.remove(entry);
    const { redelivered } = trace;
    say({ type: "delivered", ...copyOf(entry), to: "outside", tag: "", redelivered, acks: false });
  }

  #requeue(entry: Entry, by: string, why: "rejected" | "connection lost" | "channel closed"): void {
    // The queue may be gone, and its messages with it.
    if (!this.#context.ledger.in(entry.queue).includes(entry)) return;
    entry.holder = undefined;
    this.#context.say({ type: "requeued", by, why, ...copyOf(entry) });
  }

  #inQueue(queue: string, message: Content, redelivered: boolean, patient: boolean): Entry | undefined {
    const mark = markOf(message);
    const { ledger } = this.#context;
    const entry =
      ledger.find(queue, mark, message, redelivered) ??
      this.#deaths.met(queue, { mark, exchange: message.exchange, key: message.key }, headersOf(message));
    if (entry) return entry;
    if (patient || this.#publishing.awaits(mark)) return undefined;
    return this.#fromBefore(queue, message, mark);
  }

  #inStream(queue: string, message: Content, patient: boolean): Entry | undefined {
    const mark = markOf(message);
    const offset = Number(headersOf(message)["x-stream-offset"] ?? 0);
    const entries = this.#context.ledger.in(queue);
    const entry = entries.find((each) => each.offset === offset && each.mark === mark);
    if (entry) return entry;
    if (patient || this.#publishing.awaits(mark)) return undefined;
    return this.#fromBefore(queue, message, mark, offset);
  }

  /** It was there before we looked. */
  #fromBefore(queue: string, message: Content, mark: string, offset?: number): Entry {
    const { ledger, nextMessage, say } = this.#context;
    const { exchange, key } = message;
    const view = messageOf(nextMessage(), message);
    say({ type: "published", message: view, by: "outside", mandatory: false }, "inferred");
    const entry = ledger.put(queue, { view, mark, exchange, key }, offset === undefined ? {} : { offset });
    say({ type: "routed", message: view.id, copies: [copyOf(entry)], path: [] }, "inferred");
    return entry;
  }
}

const headersOf = ({ properties }: Content): Table => (properties.headers as Table | undefined) ?? {};
