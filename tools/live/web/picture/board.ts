import type { ObjectName, Topology } from "../../src/protocol.ts";
import type { Program } from "../programs.ts";
import { Edge, type EdgeKind } from "./edges.ts";
import { ExchangeNode } from "./exchange.ts";
import { arrange, type Direction, kinds, type Size, sizeOf } from "./geometry.ts";
import type { PictureNode } from "./node.ts";
import { ProgramNode } from "./program.ts";
import { QueueNode } from "./queue.ts";
import { setAttributes, svg } from "./svg.ts";

const headings = { publisher: "Publishers", exchange: "Exchanges", queue: "Queues", consumer: "Consumers" };

/** Below this width in pixels the columns become rows. */
const NARROW = 820;
/** The least size of a unit of the picture, in pixels: smaller text can't be read, so the picture scrolls. */
const LEAST_SCALE = 0.68;

/** What stands still: the nodes and the edges between them, and where each has its place. */
export class Board {
  readonly svg: SVGSVGElement;
  readonly cards = svg("g");
  readonly nodes = new Map<string, PictureNode>();
  readonly edges = new Map<string, Edge>();
  /** Called when the nodes have moved. */
  onLayout: () => void = () => {};
  readonly #edgeLayer = svg("g");
  readonly #nodeLayer = svg("g");
  readonly #labelLayer = svg("g");
  readonly #headings = svg("g");
  #topology: Topology = { exchanges: [], queues: [], bindings: [], consumers: [] };
  /** Exchanges that are always there are shown once they are used; of the default one, for which queues. */
  readonly #used = new Set<string>();
  readonly #reachedByDefault = new Set<string>();
  #programOf: (terminal: string) => Program | undefined = () => undefined;
  #available: Size = { width: 1000, height: 600 };

  constructor(element: SVGSVGElement, onSelect: (object: ObjectName) => void) {
    this.svg = element;
    const arrow = svg(
      "marker",
      {
        id: "arrow",
        viewBox: "0 0 8 8",
        refX: 7,
        refY: 4,
        markerWidth: 10,
        markerHeight: 10,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      svg("path", { d: "M0 0.5L8 4L0 7.5Z" }),
    );
    element.append(
      svg("defs", {}, arrow),
      this.#headings,
      this.#edgeLayer,
      this.#nodeLayer,
      this.#labelLayer,
      this.cards,
    );
    const select = (target: EventTarget | null) => {
      const object = target instanceof Element ? this.#objectAt(target) : undefined;
      if (object) onSelect(object);
      return object !== undefined;
    };
    element.addEventListener("click", ({ target }) => select(target));
    element.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && select(event.target)) event.preventDefault();
    });
    new ResizeObserver(([entry]) => {
      const parent = entry?.contentRect;
      if (!parent || parent.width === 0) return;
      this.#available = { width: parent.width, height: parent.height };
      this.layout();
    }).observe(element.parentElement ?? element);
  }

  get direction(): Direction {
    return this.#available.width < NARROW ? "tall" : "wide";
  }

  clear(): void {
    this.nodes.clear();
    this.edges.clear();
    this.#used.clear();
    this.#reachedByDefault.clear();
    this.#topology = { exchanges: [], queues: [], bindings: [], consumers: [] };
    for (const layer of [this.#edgeLayer, this.#nodeLayer, this.#labelLayer, this.cards])
      layer.replaceChildren();
    this.layout();
  }

  // ── Nodes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  exchange(name: string): ExchangeNode | undefined {
    if (!this.#used.has(name)) {
      this.#used.add(name);
      this.reshape();
    }
    const node = this.nodes.get(`exchange ${name}`);
    return node instanceof ExchangeNode ? node : undefined;
  }

  queue(name: string): QueueNode | undefined {
    const node = this.nodes.get(`queue ${name}`);
    return node instanceof QueueNode ? node : undefined;
  }

  get queues(): QueueNode[] {
    return [...this.nodes.values()].filter((node) => node instanceof QueueNode);
  }

  /** @returns The program's box, which is drawn if there is none in its column yet. */
  program({ key, kind, terminal, name }: Program): ProgramNode {
    const known = this.nodes.get(`program ${key}`);
    if (known instanceof ProgramNode && known.kind === kind) return known;
    if (known) this.#remove(known);
    const node = new ProgramNode(`program ${key}`, kind, terminal?.script ?? name);
    node.terminal = terminal?.id ?? key;
    this.#add(node);
    this.reshape();
    return node;
  }

  removeProgram(key: string): void {
    const node = this.nodes.get(`program ${key}`);
    if (node) this.#remove(node);
    this.layout();
  }

  // ── Edges ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns The edge between two nodes, which is drawn if there is none yet. */
  edge(from: PictureNode, to: PictureNode, kind: EdgeKind): Edge {
    const id = `${from.key}|${to.key}|${kind}`;
    const known = this.edges.get(id);
    if (known) return known;
    const edge = this.#addEdge(id, from, to, kind);
    this.layout();
    return edge;
  }

  /** The edges that leave a node. */
  from(node: PictureNode): Edge[] {
    return [...this.edges.values()].filter(({ from }) => from === node);
  }

  /** Draws the exchange's way into a queue that only the default exchange leads to. */
  reachByDefault(queue: string): void {
    if (this.#reachedByDefault.has(queue)) return;
    this.#reachedByDefault.add(queue);
    this.reshape();
  }

  // ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Draws what the broker has, and takes away what it has no longer. */
  reshape(topology = this.#topology, programOf = this.#programOf): void {
    this.#topology = topology;
    this.#programOf = programOf;
    this.#reshapeNodes();
    this.#reshapeEdges();
    this.layout();
  }

  #reshapeNodes(): void {
    const { exchanges, queues, bindings } = this.#topology;
    const wanted = new Set<string>();
    for (const exchange of exchanges) {
      const { name } = exchange;
      const alwaysThere = name === "" || name.startsWith("amq.");
      const bound =
        name !== "" && bindings.some((binding) => binding.exchange === name || binding.to === name);
      const deadLetters = queues.some(({ deadLetterExchange }) => deadLetterExchange === name);
      if (alwaysThere && !bound && !deadLetters && !this.#used.has(name)) continue;
      const key = `exchange ${name}`;
      wanted.add(key);
      if (!this.nodes.has(key)) this.#add(new ExchangeNode(exchange));
    }
    for (const queue of queues) {
      // A reply goes from the exchange right to the program that asked.
      if (queue.type === "reply") continue;
      const key = `queue ${queue.name}`;
      wanted.add(key);
      if (!this.nodes.has(key)) this.#add(new QueueNode(queue));
    }
    for (const node of [...this.nodes.values()])
      if (!(node instanceof ProgramNode) && !wanted.has(node.key)) this.#remove(node);
  }

  #reshapeEdges(): void {
    const { exchanges, queues, bindings, consumers } = this.#topology;
    const wanted = new Map<
      string,
      { from: PictureNode; to: PictureNode; kind: EdgeKind; labels: string[] }
    >();
    const want = (from: string, to: string, kind: EdgeKind, label: string) => {
      const [source, target] = [this.nodes.get(from), this.nodes.get(to)];
      if (!source || !target) return;
      const id = `${from}|${to}|${kind}`;
      const edge = wanted.get(id) ?? { from: source, to: target, kind, labels: [] };
      if (!edge.labels.includes(label)) edge.labels.push(label);
      wanted.set(id, edge);
    };
    for (const { exchange, to, kind, key } of bindings)
      if (exchange !== "") want(`exchange ${exchange}`, `${kind} ${to}`, "binding", key);
    for (const { name } of queues) {
      const bound = bindings.some(({ exchange, to }) => exchange !== "" && to === name);
      if (!bound || this.#reachedByDefault.has(name)) want("exchange ", `queue ${name}`, "binding", name);
    }
    for (const { name, alternate } of exchanges)
      if (alternate !== undefined) want(`exchange ${name}`, `exchange ${alternate}`, "alternate", "no match");
    for (const { name, deadLetterExchange, deadLetterKey } of queues)
      if (deadLetterExchange !== undefined)
        want(
          `queue ${name}`,
          `exchange ${deadLetterExchange}`,
          "dead-letter",
          deadLetterKey === undefined ? "dead letters" : `dead → ${deadLetterKey}`,
        );
    for (const { queue, terminal, prefetch, acks, paused, exclusive, priority } of consumers) {
      const program = this.#programOf(terminal);
      if (!program) continue;
      const reply = queues.some(({ name, type }) => name === queue && type === "reply");
      const words = [
        reply ? "reply" : !acks ? "auto-ack" : prefetch > 0 ? `prefetch ${prefetch}` : "prefetch ∞",
        exclusive ? "exclusive" : "",
        priority === 0 ? "" : `priority ${priority}`,
        paused ? "⏸ paused" : "",
      ];
      const label = words.filter(Boolean).join(", ");
      want(reply ? "exchange " : `queue ${queue}`, `program ${program.key}`, "consume", label);
    }
    for (const [id, edge] of this.edges)
      if (edge.kind !== "publish" && !wanted.has(id)) this.#removeEdge(id, edge);
    for (const [id, { from, to, kind, labels }] of wanted)
      (this.edges.get(id) ?? this.#addEdge(id, from, to, kind)).label(labels);
  }

  /** Gives each node its place and draws the edges between them. */
  layout(): void {
    const { direction } = this;
    const nodes = [...this.nodes.values()];
    for (const kind of kinds) {
      const column = nodes.filter((node) => node.kind === kind);
      for (const node of column) node.resize(sizeOf(kind, direction, column.length));
    }
    const ahead = [...this.edges.values()].filter(
      ({ from, to }) => kinds.indexOf(from.kind) <= kinds.indexOf(to.kind),
    );
    const { width, height } = this.#available;
    // As large as the place that there is; on a wide screen all grows a little, and the columns move apart.
    const scale = direction === "wide" ? Math.min(1.3, Math.max(1, width / 1500)) : 1;
    const least = { width: width / scale - 4, height: 0 };
    const links = ahead.map(({ from, to }) => ({ from: from.key, to: to.key }));
    const waysBack = [...this.edges.values()].filter(
      ({ from, to }) => kinds.indexOf(from.kind) > kinds.indexOf(to.kind),
    );
    // What goes to the same node for the same reason shares a lane.
    const laneOf = ({ kind, to }: Edge) => `${kind} ${to.key}`;
    const laneNames = [...new Set(waysBack.map(laneOf))];
    const lanes = laneNames.length * 13 + (laneNames.length > 0 ? 10 : 0);
    let size = arrange(nodes, links, direction, least);
    if (direction === "wide") {
      // As high as the place that there is, so that the picture stands in its middle.
      const tallest = (size.width * height) / Math.max(1, width) - lanes;
      if (tallest > size.height)
        size = arrange(nodes, links, direction, { width: least.width, height: tallest });
    }
    const whole = {
      width: size.width + (direction === "tall" ? lanes : 0),
      height: size.height + (direction === "wide" ? lanes : 0),
    };
    setAttributes(this.svg, { viewBox: `0 0 ${whole.width} ${whole.height}` });
    const leastHeight =
      whole.height * (direction === "tall" ? Math.min(1, width / whole.width) : LEAST_SCALE);
    this.svg.style.minHeight = `calc(var(--zoom, 1) * ${leastHeight}px)`;
    this.svg.style.minWidth = `calc(var(--zoom, 1) * ${Math.floor(whole.width * LEAST_SCALE)}px)`;
    this.#headings.replaceChildren(
      ...kinds.map((kind) =>
        svg(
          "text",
          {
            class: "heading halo",
            ...size.headings[kind],
            "text-anchor": direction === "wide" ? "middle" : "start",
          },
          headings[kind],
        ),
      ),
    );
    for (const node of nodes) node.place();
    const foot = direction === "wide" ? this.#foot(nodes) : size.width;
    for (const edge of waysBack) {
      const index = laneNames.indexOf(laneOf(edge));
      edge.draw(direction, { at: foot + 12 + index * 13, index });
    }
    for (const edge of this.edges.values())
      if (!waysBack.includes(edge)) edge.draw(direction, { at: 0, index: 0 });
    this.onLayout();
  }

  /** Where the lowest node ends. */
  #foot(nodes: PictureNode[]): number {
    return Math.max(0, ...nodes.map(({ y, height }) => y + height + 26));
  }

  #add(node: PictureNode): void {
    this.nodes.set(node.key, node);
    this.#nodeLayer.append(node.group);
  }

  #remove(node: PictureNode): void {
    this.nodes.delete(node.key);
    node.group.remove();
    // A queue takes its messages along.
    if (node instanceof QueueNode)
      for (const { group, ghost } of node.cards) for (const each of [group, ghost?.group]) each?.remove();
    for (const [id, edge] of this.edges)
      if (edge.from === node || edge.to === node) this.#removeEdge(id, edge);
  }

  #addEdge(id: string, from: PictureNode, to: PictureNode, kind: EdgeKind): Edge {
    const edge = new Edge(from, to, kind);
    this.edges.set(id, edge);
    this.#edgeLayer.append(edge.path);
    this.#labelLayer.append(edge.group);
    return edge;
  }

  #removeEdge(id: string, edge: Edge): void {
    this.edges.delete(id);
    edge.path.remove();
    edge.group.remove();
  }

  #objectAt(element: Element): ObjectName | undefined {
    const message = element.closest<SVGElement>("[data-message]")?.dataset.message;
    if (message !== undefined) return { kind: "message", message: Number(message) };
    const key = element.closest<SVGElement>("[data-node]")?.dataset.node;
    if (key === undefined) {
      const label = element.closest(".label");
      for (const { labels, from, to, kind } of this.edges.values())
        for (const { group, text } of labels)
          if (group === label && kind === "binding")
            return {
              kind: "binding",
              exchange: from.key.slice("exchange ".length),
              to: to.key.slice(to.kind.length + 1),
              key: text,
            };
      return undefined;
    }
    const node = this.nodes.get(key);
    if (node instanceof ExchangeNode) return { kind: "exchange", name: key.slice("exchange ".length) };
    if (node instanceof QueueNode) return { kind: "queue", name: key.slice("queue ".length) };
    return node instanceof ProgramNode ? { kind: "program", terminal: node.terminal } : undefined;
  }
}
