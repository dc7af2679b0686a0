import type { Point } from "./svg.ts";

/** The four columns, in the order in which a message passes them. */
export const kinds = ["publisher", "exchange", "queue", "consumer"] as const;
export type Kind = (typeof kinds)[number];

export interface Size {
  width: number;
  height: number;
}

export const card: Size = { width: 114, height: 44 };

/** The room that a node's labels take above and below its box. */
export const margins: Record<Kind, { above: number; below: number }> = {
  publisher: { above: 4, below: 14 },
  exchange: { above: 28, below: 28 },
  queue: { above: 26, below: 28 },
  consumer: { above: 4, below: 14 },
};

/** The space between one column and the next; wide enough for the keys of bindings behind the exchanges. */
const gaps: Record<"wide" | "tall", number[]> = { wide: [84, 176, 108], tall: [44, 84, 48] };

/** From the left to the right, or on a narrow screen from the top to the bottom. */
export type Direction = "wide" | "tall";

/**
 * @param count How many nodes stand in that column.
 * @returns How large a node is, and how many cards a queue shows side by side.
 */
export function sizeOf(kind: Kind, direction: Direction, count: number): Size & { slots: number } {
  const narrow = direction === "tall" && count > 2;
  switch (kind) {
    case "publisher":
      return { width: narrow ? 128 : 196, height: 100, slots: 0 };
    case "exchange":
      return { width: narrow ? 120 : 150, height: 68, slots: 0 };
    case "queue": {
      const slots = direction === "wide" ? 3 : count > 1 ? 1 : 3;
      return { width: slots * (card.width + 8) + 10, height: 60, slots };
    }
    case "consumer":
      return { width: narrow ? 128 : direction === "tall" && count === 2 ? 180 : 220, height: 158, slots: 0 };
  }
}

export interface Placed extends Size {
  key: string;
  kind: Kind;
  x: number;
  y: number;
}

export interface Link {
  from: string;
  to: string;
}

const SPACE = 12;
const HEADING = 30;

/**
 * Places nodes in their columns: each in its column's order of appearance, and at the height of what it is connected
 * with, as far as there is room.
 *
 * @param nodes Their `x` and `y` are set.
 * @param least The size that the picture has at least.
 * @returns The size of the picture, and where the headings of the columns stand.
 */
export function arrange(
  nodes: Placed[],
  links: Link[],
  direction: Direction,
  least: Size,
): Size & { headings: Record<Kind, Point> } {
  const upright = direction === "tall";
  const along = (node: Placed) => (upright ? extent(node) : node.width);
  const across = (node: Placed) => (upright ? node.width : extent(node));
  const columns = kinds.map((kind) => nodes.filter((node) => node.kind === kind));
  const [publishers = [], exchanges = [], queues = [], consumers = []] = columns;
  sortByNeighbours(consumers, queues, links);
  sortByNeighbours(exchanges, queues, links);
  sortByNeighbours(publishers, exchanges, links);

  const depths = columns.map((column, index) =>
    Math.max(...column.map(along), sizeAlong(kinds[index] ?? "queue", direction)),
  );
  const natural = gaps[direction];
  const length =
    depths.reduce((sum, depth) => sum + depth, 0) +
    natural.reduce((sum, gap) => sum + gap, 0) +
    2 * SPACE +
    HEADING * (upright ? 4 : 0);
  const breadth =
    Math.max(...columns.map((column) => column.reduce((sum, node) => sum + across(node) + SPACE, SPACE))) +
    (upright ? 0 : HEADING);
  const size = upright
    ? { width: Math.max(breadth, least.width), height: Math.max(length, least.height) }
    : { width: Math.max(length, least.width), height: Math.max(breadth, least.height) };
  const room = upright ? size.width : size.height - HEADING;
  const stretch = Math.max(0, (upright ? 0 : size.width - length) / 3);

  const centers = new Map<string, number>();
  const ideal = (node: Placed) => mean(neighbours(node, links).flatMap((key) => centers.get(key) ?? []));
  // Consumers are the largest, so the others go by them.
  const first = consumers.length >= queues.length ? consumers : queues;
  const order = [first, first === consumers ? queues : consumers, exchanges, publishers];
  for (const column of order)
    spread(column, across, first === column ? () => undefined : ideal, room, centers);

  const headings = {} as Record<Kind, Point>;
  let start = SPACE;
  kinds.forEach((kind, index) => {
    const depth = depths[index] ?? 0;
    headings[kind] = upright
      ? { x: SPACE, y: index === 0 ? start + 14 : start - 4 }
      : { x: start + depth / 2, y: 18 };
    if (upright) start += HEADING;
    for (const node of columns[index] ?? []) {
      const center = centers.get(node.key) ?? 0;
      const { above } = margins[kind];
      node.x = upright ? center - node.width / 2 : start + (depth - node.width) / 2;
      node.y = upright ? start + above : HEADING + center - extent(node) / 2 + above;
    }
    start += depth + (natural[index] ?? 0) + stretch;
  });
  return { ...size, headings };
}

const extent = ({ kind, height }: Placed) => margins[kind].above + height + margins[kind].below;

/** An empty column keeps its place. */
function sizeAlong(kind: Kind, direction: Direction): number {
  const { width, height } = sizeOf(kind, direction, 1);
  return direction === "tall" ? (kind === "consumer" ? height : 40) : width;
}

const neighbours = ({ key }: Placed, links: Link[]) =>
  links.flatMap(({ from, to }) => (from === key ? [to] : to === key ? [from] : []));

function mean(numbers: number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function sortByNeighbours(column: Placed[], reference: Placed[], links: Link[]): void {
  const index = new Map(reference.map(({ key }, place) => [key, place]));
  const own = (node: Placed) => mean(neighbours(node, links).flatMap((key) => index.get(key) ?? []));
  // One that leads only to others of its column stands before them.
  const before = (node: Placed) =>
    mean(
      links.flatMap(({ from, to }) => {
        const next = from === node.key ? column.find(({ key }) => key === to) : undefined;
        return next ? (own(next) ?? []) : [];
      }),
    );
  const rank = new Map<Placed, number>();
  let last = 0;
  for (const node of column) {
    const next = before(node);
    // One without neighbours, such as a program that has lost its connection, stays where it is.
    last = own(node) ?? (next === undefined ? last : next - 0.5);
    rank.set(node, last);
  }
  column.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
}

/** Gives each node of a column its center: as near to the ideal one as the others leave it. */
function spread(
  column: Placed[],
  across: (node: Placed) => number,
  ideal: (node: Placed) => number | undefined,
  room: number,
  centers: Map<string, number>,
): void {
  const total = column.reduce((sum, node) => sum + across(node) + SPACE, -SPACE);
  const wishes = column.map(ideal);
  const free = wishes.every((wish) => wish === undefined);
  let end = free ? (room - total) / 2 - SPACE : Number.NEGATIVE_INFINITY;
  const places = column.map((node, index) => {
    const half = across(node) / 2;
    const wish = wishes[index];
    const fallback = Number.isFinite(end) ? end + SPACE + half : room / 2 - total / 2 + half;
    const center = Math.max(wish ?? fallback, end + SPACE + half);
    end = center + half;
    return center;
  });
  const shift = mean(
    places.flatMap((place, index) => (wishes[index] === undefined ? [] : [(wishes[index] ?? place) - place])),
  );
  // Then within the room, from both ends.
  let least = SPACE / 2;
  const moved = column.map((node, index) => {
    const half = across(node) / 2;
    const center = Math.max((places[index] ?? 0) + (shift ?? 0), least + half);
    least = center + half + SPACE;
    return { node, half, center };
  });
  let most = room - SPACE / 2;
  for (const { node, half, center } of moved.reverse()) {
    const within = Math.min(center, most - half);
    most = within - half - SPACE;
    centers.set(node.key, within);
  }
}
