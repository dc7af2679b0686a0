import type { FieldTable } from "wire";
import type { Asked, Channel } from "./channel.ts";
import type { Context } from "./context.ts";
import type { Deaths } from "./deaths.ts";
import type { Trace } from "./firehose.ts";
import { copyOf, type Entry, type Known } from "./ledger.ts";
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
        ledger.hold(entry, channel.connection.terminal);
        channel.unacked.set(deliveryTag, entry);
      } else ledger.remove(entry);
    }
    say({
      type: "delivered",
      ...copyOf(entry),
      content: entry.view,
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
    const content = entry.view;
    say({ type: "delivered", ...copyOf(entry), content, to: "outside", tag: "", redelivered, acks: false });
  }

  #requeue(entry: Entry, by: string, why: "rejected" | "connection lost" | "channel closed"): void {
    if (!this.#context.ledger.giveBack(entry)) return;
    this.#context.say({ type: "requeued", by, why, ...copyOf(entry) });
  }

  #inQueue(queue: string, message: Content, redelivered: boolean, patient: boolean): Entry | undefined {
    const mark = markOf(message);
    const { exchange, key } = message;
    const { ledger } = this.#context;
    const entry =
      ledger.find(queue, mark, message, redelivered) ??
      this.#deaths.met(queue, { mark, exchange, key }, headersOf(message)) ??
      ledger.anyUnlisted(queue, () => this.#known(message, mark));
    if (entry) return entry;
    if (patient || this.#publishing.awaits(mark)) return undefined;
    return this.#fromBefore(queue, message, mark);
  }

  #inStream(queue: string, message: Content, patient: boolean): Entry | undefined {
    const mark = markOf(message);
    const offset = Number(headersOf(message)["x-stream-offset"] ?? 0);
    const { ledger } = this.#context;
    const listed = ledger.findAt(queue, offset);
    if (listed?.mark === mark) return listed;
    const entry = ledger.anyUnlisted(queue, () => this.#known(message, mark), offset);
    if (entry) return entry;
    if (patient || this.#publishing.awaits(mark)) return undefined;
    return this.#fromBefore(queue, message, mark, offset);
  }

  /** It was there before we looked. */
  #fromBefore(queue: string, message: Content, mark: string, offset?: number): Entry {
    const { ledger, say } = this.#context;
    const known = this.#known(message, mark);
    say({ type: "published", message: known.view, by: "outside", mandatory: false }, "inferred");
    const entry = ledger.put(queue, known, offset === undefined ? {} : { offset });
    say({ type: "routed", message: known.view.id, copies: [copyOf(entry)], path: [] }, "inferred");
    return entry;
  }

  #known(message: Content, mark: string): Known {
    const { exchange, key } = message;
    return { view: messageOf(this.#context.nextMessage(), message), mark, exchange, key };
  }
}

const headersOf = ({ properties }: Content): FieldTable =>
  (properties.headers as FieldTable | undefined) ?? {};
