import { text as printable } from "shared";
import { bodies, calls, confirms, rpc, tutorials } from "./contract.ts";
import type { Peer } from "./languages.ts";
import { failure, startPeer, startScript } from "./programs.ts";
import type { Arrival, Room } from "./room.ts";

/** What became of one producer's messages in one room. */
export interface Cell {
  /** Why a tutorial failed, by its number. Empty: all is well. */
  failures: Map<number, string>;
  /** What the room's peer reported of the messages, or the producer of the answers to its calls. */
  seen: Arrival[];
}

/** ms. A bound for a producer, on a loaded machine. */
const patience = 30_000;

/**
 * Has one language's producers publish and call in each room, and waits for what the consumers there receive.
 *
 * @param producer Whose; `undefined` for ours.
 * @param rooms Whose consumers run.
 * @returns A cell for each room, in their order.
 */
export async function produceInto(producer: Peer | undefined, rooms: Room[]): Promise<Cell[]> {
  const expected = rooms.map((room) => expectations(producer, room));
  const from = rooms.map((room) => room.seen.length);
  const failures = producer ? await producePeer(producer, rooms) : await produceOurs(rooms);
  return Promise.all(
    rooms.map(async (room, index): Promise<Cell> => {
      const found = failures[index] ?? new Map<number, string>();
      const open = (expected[index] ?? []).filter(({ tutorial }) => !found.has(tutorial));
      const complete = () => open.every(({ differs }) => differs() === undefined);
      // What never comes, or comes and should not, is named below.
      await room.until("the messages", complete).catch(() => {});
      for (const { tutorial, differs } of open) {
        const difference = differs();
        if (difference !== undefined) found.set(tutorial, difference);
      }
      return { failures: found, seen: room.seen.slice(from[index]) };
    }),
  );
}

async function producePeer(producer: Peer, rooms: Room[]) {
  const program = startPeer(
    producer,
    ["produce", producer.name],
    rooms.map(({ url }) => url),
  );
  const reason = await failure(program, patience);
  // It stops at the first failure, and only stderr says which one that was.
  const all = [...tutorials, rpc, confirms].map(({ number }) => number);
  return rooms.map(() => new Map(reason === undefined ? [] : all.map((number) => [number, reason])));
}

/** Starts our seven producers in each room, those of one room together. */
async function produceOurs(rooms: Room[]) {
  const { text, large } = bodies("ours");
  const found: Map<number, string>[] = [];
  for (const { url } of rooms) {
    const failures = new Map<number, string>();
    const run = async (number: number, example: string, words: string[], prints?: string) => {
      const program = startScript(example, words, url);
      const reason = await failure(program, patience);
      if (reason !== undefined) failures.set(number, reason);
      else if (prints !== undefined && !program.lines.includes(prints))
        failures.set(number, `did not print "${prints}"`);
    };
    await Promise.all([
      ...tutorials.map(({ number, example, producer }) => run(number, example, producer(text))),
      run(1, "hello", ["send", large]),
      run(rpc.number, rpc.example, rpc.client, rpc.prints),
      run(confirms.number, confirms.example, confirms.producer),
    ]);
    found.push(failures);
  }
  return found;
}

interface Expectation {
  tutorial: number;
  /** What has not come, or came and was not expected, in words. */
  differs(): string | undefined;
}

/** What should come into a room from now on, once a producer has been there. */
function expectations(producer: Peer | undefined, room: Room): Expectation[] {
  const { text, empty, large } = bodies(producer?.name ?? "ours");
  const expect = (number: number, source: string, wanted: string[]): Expectation => {
    const from = room.received(source).length;
    return { tutorial: number, differs: () => difference(wanted, room.received(source).slice(from)) };
  };
  const messages = tutorials.map(({ number, source, prints }) => {
    const sent = producer ? [text, empty, large] : number === 1 ? [text, large] : [text];
    return expect(number, source, room.peer ? sent : sent.map((body) => prints(printable(body))));
  });
  const type = producer?.name ?? "asynchronously";
  const confirmed = expect(
    confirms.number,
    confirms.queue,
    room.peer ? confirms.bodies : [confirms.prints(type)],
  );
  const answers = Array.from({ length: 2 * calls.length }, () => rpc.answer);
  return [...messages, confirmed, ...(producer ? [expect(rpc.number, "rpc", answers)] : [])];
}

/** Compares without regard to the order, since programs that run at the same time have none. */
function difference(wanted: string[], received: string[]): string | undefined {
  const missing = [...wanted];
  const more: string[] = [];
  for (const body of received) {
    const index = missing.indexOf(body);
    if (index < 0) more.push(body);
    else missing.splice(index, 1);
  }
  const parts = [
    missing.length > 0 ? `did not arrive: ${missing.map(quote).join(", ")}` : "",
    more.length > 0 ? `arrived unexpectedly: ${more.map(quote).join(", ")}` : "",
  ];
  return parts.filter(Boolean).join("; ") || undefined;
}

/** A body, in at most a line. */
const quote = (body: string) =>
  `"${printable(body.slice(0, 60))}"${body.length > 60 ? ` and ${body.length - 60} more letters` : ""}`;
