import type { Copy, HeldMethod, Hop, LiveEvent, Message } from "../../src/protocol.ts";
import type { Messages } from "../messages.ts";
import type { Programs } from "../programs.ts";
import type { Board } from "./board.ts";
import { badge, Card } from "./cards.ts";
import type { Edge } from "./edges.ts";
import { card as cardSize } from "./geometry.ts";
import type { Motion } from "./motion.ts";
import type { PictureNode } from "./node.ts";
import { ProgramNode } from "./program.ts";
import type { QueueNode } from "./queue.ts";
import { type Point, put, svg } from "./svg.ts";
import { times } from "./times.ts";

type Of<Type extends LiveEvent["type"]> = Extract<LiveEvent, { type: Type }>;

/** What moves: the messages on their ways between the nodes of a board. */
export class Traffic {
  readonly #board: Board;
  readonly #motion: Motion;
  readonly #programs: Programs;
  readonly #messages: Messages;
  /** What has been published and not yet been routed, by message. */
  readonly #flying = new Map<number, { card: Card; by: ProgramNode; mandatory: boolean }>();
  /** What is in a queue, or in a program's hands, by copy. */
  readonly #copies = new Map<number, Card>();
  readonly #held = new Map<number, { card: Card; program: ProgramNode; what: HeldMethod }>();

  constructor(board: Board, motion: Motion, programs: Programs, messages: Messages) {
    this.#board = board;
    this.#motion = motion;
    this.#programs = programs;
    this.#messages = messages;
    board.onLayout = () => this.#seatAll();
  }

  clear(): void {
    for (const queue of this.#board.queues) queue.clear();
    this.#flying.clear();
    this.#copies.clear();
    this.#held.clear();
    this.#board.cards.replaceChildren();
  }

  // ── To the exchange ─────────────────────────────────────────────────────────────────────────────────────────────

  async published({ message, by, mandatory }: Of<"published">): Promise<void> {
    const program = this.#board.program(this.#programs.need(by));
    const exchange = this.#board.exchange(message.exchange);
    if (!exchange) return;
    const edge = this.#board.edge(program, exchange, "publish");
    const points = edge.points();
    const card = this.#draw(new Card(message, points[0] ?? program.center));
    this.#flying.set(message.id, { card, by: program, mandatory });
    edge.light(card.group);
    await this.#motion.appear(card.group);
    await this.#move(card, [...points, exchange.center], times.publish);
    edge.light(undefined);
  }

  /** The card stops in the exchange while the matching bindings light up, and only then do the copies leave. */
  async routed({ message, copies, path }: Of<"routed">): Promise<void> {
    const card = this.#flying.get(message)?.card;
    if (!card) return;
    this.#flying.delete(message);
    if (card.message.exchange === "") for (const { queue } of copies) this.#board.reachByDefault(queue);
    await this.#distribute(card, card.message.exchange, copies, path);
  }

  async dropped({ message, exchange, path }: Of<"dropped">): Promise<void> {
    const flying = this.#flying.get(message);
    if (!flying) return;
    const { card, mandatory } = flying;
    const last = path.findLast(({ kind }) => kind === "exchange");
    if (last) await this.#distribute(card, card.message.exchange, [], path, true);
    const node = this.#board.exchange(exchange);
    if (node) this.#compare(node, card, []);
    await this.#motion.wait(times.decide);
    // One that is mandatory goes back to its publisher instead.
    if (!mandatory) {
      this.#flying.delete(message);
      await this.#fall(card, "dropped", "no binding matches");
    }
    if (node) this.#forgetComparison(node);
  }

  async returned({ message, to, reason }: Of<"returned">): Promise<void> {
    const known = this.#messages.get(message);
    const program = this.#board.program(this.#programs.need(to));
    const exchange = known && this.#board.exchange(known.exchange);
    if (!known || !exchange) return;
    const card = this.#flying.get(message)?.card ?? this.#draw(new Card(known, exchange.center));
    this.#flying.delete(message);
    card.mark("returned");
    const edge = this.#board.edge(program, exchange, "publish");
    edge.light(card.group);
    await this.#move(card, [card.at, ...edge.points().reverse()], times.publish);
    edge.light(undefined);
    program.say(`returned: ${reason}`);
    await this.#motion.wait(times.read);
    await this.#vanish(card);
  }

  async answered(event: Of<"confirmed"> | Of<"nacked">): Promise<void> {
    const program = this.#board.program(this.#programs.need(event.to));
    const mark =
      event.type === "confirmed" ? program.mark("confirmed", "good") : program.mark("refused", "bad");
    const flying = this.#flying.get(event.message);
    if (event.type === "nacked" && flying) {
      this.#flying.delete(event.message);
      const full = event.full === undefined ? undefined : this.#board.queue(event.full);
      full?.group.classList.add("full");
      await this.#fall(flying.card, "refused", full ? "the queue is full" : "the broker can't take it");
      full?.group.classList.remove("full");
    }
    // The badge goes by itself; nothing waits for it.
    void this.#motion.wait(2200).then(() => this.#motion.vanish(mark));
  }

  // ── From the exchange to the queues ─────────────────────────────────────────────────────────────────────────────

  /** Takes a card from an exchange along its hops, and puts a copy into each queue. */
  async #distribute(card: Card, exchange: string, copies: Copy[], path: Hop[], stays = false): Promise<void> {
    const node = this.#board.exchange(exchange);
    if (!node) return;
    const hops = path.filter((hop) => hop.exchange === exchange);
    this.#compare(node, card, hops);
    await this.#motion.wait(times.decide);
    // Where the bindings have changed in between, the copies still came to their queues.
    const direct = copies.filter(
      ({ queue }) =>
        hops.some(({ kind, to }) => kind === "queue" && to === queue) ||
        !path.some(({ kind, to }) => kind === "queue" && to === queue),
    );
    const onward = [...new Set(hops.filter(({ kind }) => kind === "exchange").map(({ to }) => to))];
    const rest = copies.filter((copy) => !direct.includes(copy));
    if (!stays) void this.#motion.vanish(card.group);
    await Promise.all([
      ...direct.map((copy) => this.#enter(card, node, copy)),
      ...onward.map(async (next) => {
        const to = this.#board.exchange(next);
        if (!to) return;
        const alternate = hops.some((hop) => hop.to === next && hop.why === "alternate");
        const edge = this.#board.edge(node, to, alternate ? "alternate" : "binding");
        const copy = stays ? card : this.#draw(new Card(card.message, card.at));
        await this.#along(copy, edge, times.route, to.center);
        const beyond = path.filter((hop) => hop.exchange !== exchange);
        if (!stays || beyond.length > 0) await this.#distribute(copy, next, rest, beyond, stays);
      }),
    ]);
    this.#forgetComparison(node);
  }

  async #enter(card: Card, from: PictureNode, { copy, queue }: Copy): Promise<void> {
    const node = this.#board.queue(queue);
    const twin = this.#draw(new Card(card.message, card.at));
    this.#copies.set(copy, twin);
    if (card.group.classList.contains("inferred")) twin.group.classList.add("inferred");
    // A direct reply waits in no queue: it stands at the exchange until it is delivered.
    if (!node) return;
    const edge = this.#board.edge(from, node, "binding");
    if (node.isFull && !node.isStream) {
      // It is one more at the end, where no card could be told from another.
      this.#copies.delete(copy);
      node.beyond++;
      await this.#along(twin, edge, times.route, node.slot(node.cards.length));
      node.tell();
      await this.#vanish(twin);
      return;
    }
    if (node.isFull) this.#forgetOldest(node);
    const index = node.add(twin);
    node.tell();
    await this.#along(twin, edge, times.route, node.slot(index));
    await this.#tidy(node);
  }

  /** Lights the keys that match, and dims the others. */
  #compare(exchange: PictureNode, card: Card, hops: Hop[]): void {
    for (const edge of this.#board.from(exchange)) {
      const target = edge.to.key.slice(edge.to.kind.length + 1);
      const taken = hops.filter(({ to, kind }) => to === target && kind === edge.to.kind);
      for (const { text, group } of edge.labels) {
        const matches = taken.some(({ key, why }) =>
          edge.kind === "alternate" ? why === "alternate" : key === text,
        );
        group.classList.toggle("lit", matches);
        group.classList.toggle("dim", !matches);
      }
      edge.light(taken.length > 0 ? card.group : undefined);
    }
  }

  #forgetComparison(exchange: PictureNode): void {
    for (const edge of this.#board.from(exchange)) edge.light(undefined);
    void this.#motion.wait(700).then(() => {
      for (const edge of this.#board.from(exchange))
        for (const { group } of edge.labels) group.classList.remove("lit", "dim");
    });
  }

  // ── From the queue to the consumer, and back ────────────────────────────────────────────────────────────────────

  async delivered(event: Of<"delivered">): Promise<void> {
    const program = this.#board.program(this.#programs.need(event.to, "consumer"));
    const queue = this.#board.queue(event.queue);
    if (queue?.isStream) return this.#read(event, queue, program);
    const card = this.#copies.get(event.copy) ?? (queue && this.#fromBeyond(event, queue));
    if (!card) return;
    card.mark(event.redelivered ? "again" : undefined, "warn");
    card.group.classList.remove("inferred");
    const source = queue ?? this.#board.exchange("");
    if (event.acks && queue) {
      const ghost = card.leaveGhost();
      this.#board.cards.prepend(ghost.group);
    } else if (queue) this.#take(card, queue);
    this.#board.cards.append(card.group);
    card.holder = program.key;
    const end = program.dock(program.hands.size);
    program.hands.add(event.copy);
    const moving = source
      ? this.#along(card, this.#board.edge(source, program, "consume"), times.deliver, end)
      : this.#move(card, [card.at, end], times.deliver);
    await Promise.all([moving, event.acks || !queue ? undefined : this.#tidy(queue)]);
    if (event.acks) return;
    // Nothing more will come of it: the broker takes it for done.
    void this.#motion.wait(times.receive).then(async () => {
      this.#release(card, event.copy, program);
      this.#keep(program, card.message);
      await this.#vanish(card);
    });
  }

  async acked({ copy, queue, by }: Of<"acked">): Promise<void> {
    const card = this.#copies.get(copy);
    const program = this.#board.program(this.#programs.need(by));
    const node = this.#board.queue(queue);
    if (!card) return node?.lose();
    const ack = this.#draw({ group: badge("ack", "good") });
    this.#release(card, copy, program);
    this.#keep(program, card.message);
    void this.#motion.vanish(card.group);
    const goal = card.ghost?.at ?? node?.center ?? card.at;
    await this.#motion.move(ack.group, [card.at, goal], times.ack);
    if (card.ghost) await this.#vanish(card.ghost);
    void this.#motion.vanish(ack.group);
    if (node) {
      this.#take(card, node);
      await this.#tidy(node);
    }
  }

  async requeued({ copy, queue, by, why }: Of<"requeued">): Promise<void> {
    const card = this.#copies.get(copy);
    if (!card) return;
    const program = this.#board.program(this.#programs.need(by));
    if (why === "connection lost") program.state = "lost";
    card.mark("again", "warn");
    // A moment to see what has happened, before the card flies back.
    await this.#motion.wait(450);
    program.hands.delete(copy);
    card.holder = undefined;
    const node = this.#board.queue(queue);
    const goal = card.ghost?.at ?? node?.slot(0) ?? card.at;
    await this.#move(card, [card.at, goal], times.requeue);
    card.ghost?.group.remove();
    card.ghost = undefined;
    if (node) await this.#tidy(node);
  }

  /** A message leaves its queue without having been acknowledged. What is dead-lettered goes on from its place. */
  async died(event: Copy & { by?: string }, word: string, inferred: boolean): Promise<void> {
    const card = this.#copies.get(event.copy);
    const queue = this.#board.queue(event.queue);
    if (!card) return queue?.lose();
    if (event.by !== undefined)
      this.#release(card, event.copy, this.#board.program(this.#programs.need(event.by)), false);
    card.mark(word);
    card.group.classList.toggle("inferred", inferred);
    card.ghost?.group.remove();
    card.ghost = undefined;
    if (queue) this.#take(card, queue);
    await this.#motion.wait(times.decide);
    if (queue?.queue.deadLetterExchange === undefined) {
      this.#copies.delete(event.copy);
      await this.#fall(card, word);
    }
    if (queue) await this.#tidy(queue);
  }

  async deadLettered(event: Of<"dead-lettered">): Promise<void> {
    const card = this.#copies.get(event.copy);
    if (!card) return;
    this.#copies.delete(event.copy);
    card.group.classList.toggle("inferred", event.basis === "inferred");
    const queue = this.#board.queue(event.queue);
    if (event.exchange === "") for (const copy of event.copies) this.#board.reachByDefault(copy.queue);
    const exchange = this.#board.exchange(event.exchange);
    if (queue) this.#take(card, queue);
    if (!exchange || !queue) return this.#fall(card, "dropped");
    await this.#along(card, this.#board.edge(queue, exchange, "dead-letter"), times.route, exchange.center);
    if (event.copies.length > 0) await this.#distribute(card, event.exchange, event.copies, event.path);
    else {
      this.#compare(exchange, card, []);
      await this.#motion.wait(times.decide);
      await this.#fall(card, "dropped", "no binding matches");
      this.#forgetComparison(exchange);
    }
  }

  proved({ copy }: Copy): void {
    this.#copies.get(copy)?.group.classList.remove("inferred");
  }

  /** Draws a message that has waited behind those that are drawn. */
  #fromBeyond({ copy, content }: Of<"delivered">, queue: QueueNode): Card | undefined {
    if (queue.beyond === 0) return undefined;
    queue.beyond--;
    const card = this.#draw(new Card(content, queue.slot(queue.cards.length)));
    queue.cards.push(card);
    this.#copies.set(copy, card);
    return card;
  }

  /** Of a long stream, only the end is drawn. */
  #forgetOldest(stream: QueueNode): void {
    const oldest = stream.forgetOldest();
    oldest?.group.remove();
    for (const [copy, card] of this.#copies) if (card === oldest) this.#copies.delete(copy);
  }

  /** A stream keeps what it delivers: a copy goes to the reader, whose cursor moves on. */
  async #read(event: Of<"delivered">, stream: QueueNode, program: ProgramNode): Promise<void> {
    const entry = this.#copies.get(event.copy);
    const message = event.content;
    const index = entry ? stream.cards.indexOf(entry) : -1;
    if (event.offset !== undefined) stream.read(program.name, event.offset, index < 0 ? undefined : index);
    const card = this.#draw(new Card(message, entry?.at ?? stream.center));
    const edge = this.#board.edge(stream, program, "consume");
    await this.#along(card, edge, times.deliver, program.dock(program.hands.size));
    void this.#motion.wait(times.receive).then(() => {
      this.#keep(program, message);
      return this.#vanish(card);
    });
  }

  // ── Message by message ──────────────────────────────────────────────────────────────────────────────────────────

  /** Shows what the wire holds, at the end of the way that it would take. */
  async hold({ hold, terminal, what, exchange, key, body }: Of<"held">): Promise<void> {
    const program = this.#board.program(this.#programs.need(terminal));
    const message: Message = { id: hold, exchange, key, body, size: 0, properties: {}, headers: {} };
    const card = this.#draw(new Card(message, placeOfHeld(program, what)));
    card.group.classList.add("held");
    card.mark(what === "deliver" ? "delivery held" : `${what} held`, "warn");
    delete card.group.dataset.message;
    this.#held.set(hold, { card, program, what });
    await this.#motion.appear(card.group);
  }

  async release({ hold }: Of<"released">): Promise<void> {
    const held = this.#held.get(hold);
    this.#held.delete(hold);
    if (held) await this.#vanish(held.card);
  }

  // ── Many messages ───────────────────────────────────────────────────────────────────────────────────────────────

  /** In place of cards that no eye could follow: how many a second pass each edge, and how many are where. */
  totals(totals: Of<"totals">): void {
    if (this.#copies.size + this.#flying.size > 0) this.clear();
    const board = this.#board;
    const rates = new Map<Edge, number>();
    const add = (edge: Edge | undefined, count: number) => {
      if (edge) rates.set(edge, (rates.get(edge) ?? 0) + (count * 1000) / totals.span);
    };
    const program = (id: string) => board.program(this.#programs.need(id));
    for (const { by, exchange, count } of totals.published) {
      const node = board.exchange(exchange);
      if (node) add(board.edge(program(by), node, "publish"), count);
    }
    for (const { exchange, queue, count } of totals.routed) {
      if (exchange === "") board.reachByDefault(queue);
      const [from, to] = [board.exchange(exchange), board.queue(queue)];
      if (from && to) add(board.edge(from, to, "binding"), count);
    }
    for (const { queue, to, count } of totals.delivered) {
      const from = board.queue(queue);
      if (from) add(board.edge(from, board.program(this.#programs.need(to, "consumer")), "consume"), count);
    }
    for (const edge of board.edges.values()) edge.count(rates.get(edge) ?? 0);
    for (const { name, ready, unacked } of totals.queues) board.queue(name)?.total({ ready, unacked });
  }

  /** Draws what each queue holds, from which the picture goes on. */
  contents({ queues }: Of<"contents">): void {
    this.clear();
    for (const edge of this.#board.edges.values()) edge.forgetRate();
    for (const { name, ready, unacked, oldest } of queues) {
      const queue = this.#board.queue(name);
      if (!queue) continue;
      for (const { copy, message, holder, deliveries } of oldest) {
        const card = this.#draw(new Card(message, queue.center));
        this.#copies.set(copy, card);
        queue.cards.push(card);
        if (deliveries > (holder === undefined ? 0 : 1)) card.mark("again", "warn");
        if (holder === undefined) continue;
        const program = this.#board.program(this.#programs.need(holder));
        card.holder = program.key;
        program.hands.add(copy);
        this.#board.cards.prepend(card.leaveGhost().group);
      }
      queue.beyond = ready + unacked - oldest.length;
      queue.tell();
    }
    this.#seatAll();
  }

  // ── Places ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts everything that rests to its place, after the nodes have moved. */
  #seatAll(): void {
    for (const { card, program, what } of this.#held.values()) this.#set(card, placeOfHeld(program, what));
    const places = new Map<string, number>();
    for (const queue of this.#board.queues)
      queue.cards.forEach((card, index) => {
        const slot = queue.slot(index);
        const resting = card.ghost ?? (card.holder === undefined ? card : undefined);
        if (resting) this.#set(resting, slot);
        this.#hide(card, queue, index);
      });
    for (const card of this.#copies.values()) {
      if (card.holder === undefined) continue;
      const program = this.#board.nodes.get(card.holder);
      const place = places.get(card.holder) ?? 0;
      places.set(card.holder, place + 1);
      if (program instanceof ProgramNode) this.#set(card, program.dock(place));
    }
  }

  /** Closes the gaps in a queue. */
  async #tidy(queue: QueueNode): Promise<void> {
    queue.tell();
    await Promise.all(
      queue.cards.map(async (card, index) => {
        const slot = queue.slot(index);
        const resting = card.ghost ?? (card.holder === undefined ? card : undefined);
        this.#hide(card, queue, index);
        if (!resting || (resting.at.x === slot.x && resting.at.y === slot.y)) return;
        // One that is still on its way here comes to its new place by itself.
        if (resting.group.getAnimations().length > 0) return;
        await this.#move(resting, [resting.at, slot], times.tidy);
      }),
    );
  }

  #hide(card: Card, queue: QueueNode, index: number): void {
    card.group.toggleAttribute("hidden", queue.isHidden(index));
    card.group.style.visibility = queue.isHidden(index) ? "hidden" : "";
  }

  #take(card: Card, queue: QueueNode): void {
    queue.cards = queue.cards.filter((other) => other !== card);
    queue.tell();
  }

  /** A program no longer holds a message. */
  #release(card: Card, copy: number, program: ProgramNode, forget = true): void {
    program.hands.delete(copy);
    card.holder = undefined;
    if (forget) this.#copies.delete(copy);
  }

  #keep(program: ProgramNode, message: Message): void {
    void this.#motion.appear(program.keep(message), 300);
  }

  #draw<Drawn extends { group: SVGGElement }>(drawn: Drawn): Drawn {
    this.#board.cards.append(drawn.group);
    return drawn;
  }

  #set(card: Card, at: Point): void {
    card.at = at;
    put(card.group, at);
  }

  async #along(card: Card, edge: Edge, ms: number, end: Point): Promise<void> {
    edge.light(card.group);
    await this.#move(card, [card.at, ...edge.points(), end], ms);
    edge.light(undefined);
  }

  async #move(card: Card, points: Point[], ms: number): Promise<void> {
    card.at = points.at(-1) ?? card.at;
    await this.#motion.move(card.group, points, ms);
  }

  async #vanish(card: Card): Promise<void> {
    await this.#motion.vanish(card.group);
  }

  /** Lets a card fall out of the picture, and says why. */
  async #fall(card: Card, word: string, reason = ""): Promise<void> {
    this.#board.cards.append(card.group);
    await this.#move(card, [card.at, { x: card.at.x, y: card.at.y + 92 }], times.fall);
    card.mark(word);
    const note = svg("text", { class: "reason halo", y: cardSize.height / 2 + 18 }, reason);
    card.group.append(note);
    await this.#motion.wait(times.read);
    await this.#vanish(card);
  }
}

function placeOfHeld(program: ProgramNode, what: HeldMethod): Point {
  const inHands = what === "ack" || what === "nack";
  const { x, y } = inHands ? program.dock(0) : program.center;
  const outside = program.width / 2 + cardSize.width / 2 + 8;
  const toTheRight = program.kind === "publisher" && !inHands;
  return inHands ? { x, y } : { x: x + (toTheRight ? outside : -outside), y };
}
