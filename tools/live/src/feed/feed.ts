import type { Management } from "broker";
import type { Basis, Consumer, Contents, Happening, Message } from "../protocol.ts";
import { Channel, type Connection } from "./channel.ts";
import { Deliveries } from "./consuming.ts";
import type { Context, Said } from "./context.ts";
import { Deaths } from "./deaths.ts";
import { Declarations } from "./declaring.ts";
import { type Firehose, openFirehose, type Trace } from "./firehose.ts";
import { type Entry, Ledger } from "./ledger.ts";
import { Outsiders } from "./outsiders.ts";
import type { Passing } from "./passing.ts";
import { Publishing } from "./publishing.ts";
import { Reconciliation } from "./reconciliation.ts";
import { Plan, readPlan } from "./topology.ts";
import { empty, markOf } from "./values.ts";

/** Where a feed looks. */
export interface Place {
  management: Management;
  /** The virtual host's name, and its URL. */
  vhost: string;
  amqpUrl: string;
}

/** ms that a delivery waits for the trace that says where its message came from. */
const PATIENCE = 250;
/** ms after which the broker is asked what there is: when something may have changed, as long as something waits, else. */
const SOON = 25;
const REGULARLY = 250;
const SELDOM = 2_000;
/** The numbers of the method basic.publish. */
const PUBLISH = "60.40";
/** Messages whose traces are awaited: at so many the programs must wait, and below so few they go on. */
const BEHIND = 5_000;
const CAUGHT_UP = 2_500;
/** ms without any trace, after which none is expected: somebody has turned the tracing off. */
const SILENCE = 3_000;
/** ms that a closed connection is remembered for its late traces. */
const LATE = 10_000;

/**
 * Merges what passes the wires of the terminals, what the firehose traces, and what the management API says, into one
 * stream of happenings in an order that makes sense, with an account of each queue.
 */
export class Feed {
  readonly ledger = new Ledger();
  readonly plan: Plan;
  /**
   * Called when programs publish faster than the broker traces, and when that is over: what is published meanwhile
   * would have to be remembered.
   */
  onBehind: (isBehind: boolean) => void = () => {};
  readonly #place: Place;
  readonly #connections = new Map<string, Connection>();
  readonly #context: Context;
  readonly #publishing: Publishing;
  readonly #deliveries: Deliveries;
  readonly #outsiders: Outsiders;
  readonly #declarations: Declarations;
  readonly #reconciliation: Reconciliation;
  readonly #paused = new Set<string>();
  #firehose: Firehose | undefined;
  #opening: Promise<void> | undefined;
  #tracedSince = Number.POSITIVE_INFINITY;
  #lastTraceAt = 0;
  #isBehind = false;
  #messages = 0;
  #looked: Promise<void> = Promise.resolve();
  #looking: NodeJS.Timeout | undefined;
  #lookingAt = 0;
  #ended = false;

  /**
   * @param place Where to look.
   * @param on Hears what happens.
   */
  constructor(place: Place, on: (happening: Happening) => void) {
    this.#place = place;
    const say = (said: Said, basis: Basis = "seen") => on({ ...said, basis } as Happening);
    this.plan = new Plan((topology, changes) => say({ type: "topology", topology, changes }));
    this.#context = {
      plan: this.plan,
      ledger: this.ledger,
      say,
      nextMessage: () => ++this.#messages,
      lookAgain: () => this.#lookSoon(SOON),
      look: () => this.look(),
    };
    const deaths = new Deaths(this.#context);
    this.#publishing = new Publishing(this.#context, () => this.#connections.values());
    this.#deliveries = new Deliveries(this.#context, this.#publishing, deaths);
    this.#outsiders = new Outsiders((trace) => this.#deliveries.deliveredOutside(trace));
    this.#declarations = new Declarations(this.#context);
    this.#reconciliation = new Reconciliation(this.#context, deaths);
  }

  /**
   * Begins to look: from now on the broker traces. Called again meanwhile, it is the same beginning.
   *
   * @throws When the broker can't be reached, or has no management API.
   */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { management, vhost, amqpUrl } = this.#place;
    const firehose = await openFirehose(management, vhost, amqpUrl, (trace) => this.#traced(trace));
    if (this.#ended) {
      await firehose.end();
      return;
    }
    this.#firehose = firehose;
    this.#tracedSince = performance.now();
    void firehose.closed.then(() => {
      if (this.#firehose !== firehose) return;
      this.#firehose = undefined;
      this.#tracedSince = Number.POSITIVE_INFINITY;
    });
    await this.look();
  }

  /** Whether the firehose runs. It ends with its broker. */
  get isOpen(): boolean {
    return this.#firehose !== undefined;
  }

  /** Whether it isn't known yet where some message went. */
  get awaitsTraces(): boolean {
    return this.#publishing.awaited > 0;
  }

  /** Whether programs should wait until the broker's traces have come. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Ends the firehose and the looking. What it knows stays. */
  async close(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#looking);
    await this.#firehose?.end();
  }

  /** A terminal has connected. `connection` is ours alone, `name` what the broker may call it. */
  connected(terminal: string, connection: string, name: string): void {
    const channels = new Map<number, Channel>();
    this.#connections.set(connection, {
      terminal,
      name,
      traceName: undefined,
      channels,
      closedAt: undefined,
    });
    this.#context.say({ type: "connected", terminal, connection });
  }

  /** A terminal's connection is gone. */
  disconnected(connection: string): void {
    const found = this.#connections.get(connection);
    if (!found || found.closedAt !== undefined) return;
    found.closedAt = performance.now();
    let unacked = 0;
    for (const channel of found.channels.values()) {
      this.#drain(channel, false);
      unacked += this.#deliveries.giveBack(channel, "connection lost");
    }
    this.#showConsumers();
    this.#context.say({ type: "disconnected", terminal: found.terminal, connection, unacked });
    this.#lookSoon(SOON);
  }

  /** Something passes a terminal's wire. */
  passed(connection: string, passing: Passing): void {
    const channel = this.#channel(connection, passing.channel);
    if (!channel) return;
    if (passing.method === "basic.publish") {
      this.#publishing.passed(channel, passing);
      this.#compare();
    }
    if (passing.method === "basic.deliver" || passing.method === "basic.get-ok")
      this.#outsiders.passed(markOf(passing.content ?? empty));
    channel.backlog.push({ passing, at: performance.now() });
    if (channel.backlog.length === 1) this.#drain(channel);
  }

  /** A terminal's deliveries are held back, or come again. */
  pause(terminal: string, paused: boolean): void {
    if (paused) this.#paused.add(terminal);
    else this.#paused.delete(terminal);
    this.#showConsumers();
  }

  /** What every queue holds, at most `most` messages of each: the next ones out, and of a stream its end. */
  contents(most = 20): Contents {
    const counts = this.ledger.counts();
    const names = [...new Set([...this.plan.queues.map(({ name }) => name), ...counts.keys()])];
    return {
      type: "contents",
      queues: names.map((name) => ({
        name,
        ...(counts.get(name) ?? { ready: 0, unacked: 0 }),
        oldest: this.first(name, most).map(({ copy, view, holder, deliveries, offset }) => ({
          copy,
          message: view,
          deliveries,
          ...(holder === undefined ? {} : { holder }),
          ...(offset === undefined ? {} : { offset }),
        })),
      })),
    };
  }

  /** The messages of a queue that leave it next, or those at a stream's end, at most so many. */
  first(queue: string, most: number): Entry[] {
    const { type, arguments: args } = this.plan.queue(queue) ?? {};
    if (type === "stream") return this.ledger.in(queue).slice(-most);
    const priorities = Number(args?.["x-max-priority"] ?? 0);
    if (priorities === 0) return this.ledger.oldest(queue, most);
    const urgency = ({ view }: Entry) => Math.min(Number(view.properties.priority ?? 0), priorities);
    return this.ledger
      .in(queue)
      .sort((a, b) => urgency(b) - urgency(a))
      .slice(0, most);
  }

  /** Finds a message by its number, as long as it is in a queue. */
  message(id: number): { message: Message; queues: string[] } | undefined {
    const entries = this.ledger.queues.flatMap((queue) =>
      this.ledger.in(queue).filter(({ message }) => message === id),
    );
    const [first] = entries;
    return first && { message: first.view, queues: entries.map(({ queue }) => queue) };
  }

  /**
   * Asks the broker what there is, and compares what its queues hold with the account of them.
   *
   * @throws {ManagementError}
   */
  look(): Promise<void> {
    // One after the other: what is missing twice is missing at two different times.
    const looked = this.#looked.then(() => this.#look());
    this.#looked = looked.catch(() => {});
    return looked;
  }

  async #look(): Promise<void> {
    this.#sweep();
    const firehose = this.#firehose;
    if (!firehose) return;
    const { management, vhost } = this.#place;
    const askedAt = performance.now();
    const plan = await readPlan(management, vhost, firehose.queue);
    for (const gone of this.plan.adopt(
      { ...plan, queues: plan.queues.map(({ ready: _, isWhole: __, ...queue }) => queue) },
      askedAt,
    ))
      this.ledger.drop(gone);
    const waiting = await this.#reconciliation.compare(plan.queues, (queue) => firehose.count(queue));
    // As long as something waits, it may expire. What others declare and delete is seen a little later.
    this.#lookSoon(waiting || this.#connections.size > 0 ? REGULARLY : SELDOM);
  }

  #lookSoon(delay: number): void {
    const at = performance.now() + delay;
    if (this.#ended || (this.#looking && this.#lookingAt <= at)) return;
    clearTimeout(this.#looking);
    this.#lookingAt = at;
    this.#looking = setTimeout(() => {
      this.#looking = undefined;
      // A broker that is gone for a moment is asked again.
      this.look().catch(() => this.#lookSoon(REGULARLY));
    }, delay);
  }

  #traced(trace: Trace): void {
    this.#lastTraceAt = performance.now();
    if (trace.kind === "publish") {
      this.#publishing.traced(trace);
      this.#drainAll();
      this.#compare();
    } else this.#outsiders.traced(trace);
  }

  /** Compares what is published with what is traced. */
  #compare(): void {
    const isBehind = this.#publishing.awaited > (this.#isBehind ? CAUGHT_UP : BEHIND);
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    this.onBehind(isBehind);
  }

  #channel(connection: string, number: number): Channel | undefined {
    const found = this.#connections.get(connection);
    if (!found) return undefined;
    let channel = found.channels.get(number);
    if (!channel) {
      channel = new Channel(found, number);
      found.channels.set(number, channel);
    }
    return channel;
  }

  #drainAll(): void {
    for (const { channels } of this.#connections.values())
      for (const channel of channels.values()) if (channel.backlog.length > 0) this.#drain(channel);
  }

  /** Takes what has passed, in its order, until something can't be told yet. */
  #drain(channel: Channel, patiently = true): void {
    for (let next = channel.backlog[0]; next; next = channel.backlog[0]) {
      const patient = patiently && performance.now() - next.at < PATIENCE;
      if (!this.#take(channel, next.passing, patient) && patiently) {
        channel.waiting ??= setTimeout(() => {
          channel.waiting = undefined;
          this.#drain(channel);
        }, PATIENCE);
        return;
      }
      channel.backlog.shift();
    }
  }

  /** @returns Whether it could be told; if not, it waits. */
  #take(channel: Channel, passing: Passing, patient: boolean): boolean {
    const { say } = this.#context;
    const { terminal } = channel.connection;
    switch (passing.method) {
      case "connection.blocked":
        say({ type: "blocked", terminal, reason: passing.fields.reason });
        break;
      case "connection.unblocked":
        say({ type: "unblocked", terminal });
        break;
      case "connection.close":
      case "channel.close": {
        const what = passing.method === "channel.close" ? "channel" : "connection";
        const { replyCode: code, replyText: text, classId, methodId } = passing.fields;
        if (passing.direction === "in") say({ type: "closed", terminal, what, code, text });
        if (what === "channel") this.#closed(channel, `${classId}.${methodId}` === PUBLISH);
        break;
      }
      case "channel.close-ok":
        this.#context.lookAgain();
        break;
      case "confirm.select":
        channel.confirms = true;
        break;
      case "basic.publish":
        // Others may wait for it.
        if (this.#publishing.published(channel, passing)) queueMicrotask(() => this.#drainAll());
        break;
      case "basic.return":
        return this.#publishing.returned(channel, passing);
      case "basic.ack":
      case "basic.nack":
        if (passing.direction === "in") return this.#publishing.confirmed(channel, passing);
        this.#deliveries.settled(channel, passing);
        break;
      case "basic.reject":
        this.#deliveries.settled(channel, passing);
        break;
      case "basic.recover":
        this.#deliveries.recovered(channel);
        break;
      case "basic.qos":
        channel.prefetch = passing.fields.prefetchCount;
        break;
      case "basic.consume":
        this.#deliveries.asksToConsume(channel, passing);
        break;
      case "basic.consume-ok":
        this.#deliveries.consumes(channel, passing);
        this.#showConsumers();
        break;
      case "basic.cancel":
      case "basic.cancel-ok":
        channel.consumers.delete(passing.fields.consumerTag);
        this.#showConsumers();
        this.#context.lookAgain();
        break;
      case "basic.get":
        this.#deliveries.asksToGet(channel, passing);
        break;
      case "basic.get-empty":
        this.#deliveries.gotNothing(channel);
        break;
      case "basic.deliver":
      case "basic.get-ok":
        return this.#deliveries.delivered(channel, passing, patient);
      case "queue.declare":
      case "queue.bind":
      case "queue.unbind":
      case "queue.delete":
      case "queue.purge":
      case "exchange.declare":
      case "exchange.bind":
      case "exchange.unbind":
      case "exchange.delete":
        this.#declarations.asked(channel, passing);
        break;
      case "queue.declare-ok":
        this.#declarations.answered(channel, passing.fields.queue);
        break;
      case "queue.bind-ok":
      case "queue.unbind-ok":
      case "queue.delete-ok":
      case "queue.purge-ok":
      case "exchange.declare-ok":
      case "exchange.bind-ok":
      case "exchange.unbind-ok":
      case "exchange.delete-ok":
        this.#declarations.answered(channel);
        break;
    }
    return true;
  }

  #closed(channel: Channel, isForPublish: boolean): void {
    this.#deliveries.giveBack(channel, "channel closed");
    channel.declaring.length = 0;
    this.#publishing.closed(channel, isForPublish);
    this.#showConsumers();
    this.#context.lookAgain();
  }

  #showConsumers(): void {
    const consumers: Consumer[] = [];
    for (const { channels } of this.#connections.values())
      for (const channel of channels.values())
        for (const consumer of channel.consumers.values())
          consumers.push({ ...consumer, paused: this.#paused.has(consumer.terminal) });
    this.plan.setConsumers(consumers);
  }

  /** Forgets connections that are long gone, and gives up on traces that don't come. */
  #sweep(): void {
    const now = performance.now();
    const isSilent = this.#isBehind && now - this.#lastTraceAt > SILENCE;
    for (const [name, connection] of this.#connections) {
      this.#publishing.giveUpOn(connection, now, isSilent ? Number.POSITIVE_INFINITY : this.#tracedSince);
      if (connection.closedAt === undefined || now - connection.closedAt < LATE) continue;
      // A broker that has lost most members of a queue may trace nothing of what it then puts there.
      this.#publishing.giveUpOn(connection, Number.POSITIVE_INFINITY, this.#tracedSince);
      for (const channel of connection.channels.values()) this.#publishing.forget(channel);
      this.#connections.delete(name);
    }
    this.#compare();
  }
}
