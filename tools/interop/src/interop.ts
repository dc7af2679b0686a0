import { once } from "node:events";
import type { Broker } from "broker";
import { type Check, checkCalls, checkOtherQueue, checkProperties, checkRedelivery } from "./checks.ts";
import { amqp10, type Language, languages, MissingToolchain, type Peer } from "./languages.ts";
import { type Cell, produceInto } from "./matrix.ts";
import { checkRefusals } from "./refusals.ts";
import type { InteropResults } from "./report.ts";
import { Room } from "./room.ts";

/**
 * Installs and builds the peers that this machine can run.
 *
 * @param wanted The names of the languages; all by default.
 * @param broker AMQP 1.0 needs RabbitMQ 4.
 * @param say Hears what is built, and what is skipped and why.
 * @throws When a toolchain is there and fails.
 */
export async function preparePeers(
  broker: Broker,
  wanted: string[] | undefined,
  say: (line: string) => void,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const language of [...languages, amqp10]) {
    if (wanted && !wanted.includes(language.name)) continue;
    if (language === amqp10 && Number.parseInt(broker.version, 10) < 4) {
      say(`${language.name}: skipped, RabbitMQ ${broker.version} speaks no AMQP 1.0 by itself.`);
      continue;
    }
    const peer = await prepare(language, say);
    if (peer) peers.push(peer);
  }
  return peers;
}

async function prepare(language: Language, say: (line: string) => void): Promise<Peer | undefined> {
  try {
    const peer = await language.prepare();
    say(`${peer.name}: ${peer.client}.`);
    return peer;
  } catch (error) {
    if (!(error instanceof MissingToolchain)) throw error;
    say(`${language.name}: skipped, ${error.message}.`);
    return undefined;
  }
}

/**
 * Has our scripts and the peers talk to each other.
 *
 * @param broker Gets virtual hosts, and loses them in the end.
 * @param signal Gives up: the programs are ended and the promise rejects with the signal's reason.
 */
export async function interop(broker: Broker, peers: Peer[], signal: AbortSignal): Promise<InteropResults> {
  const rooms: Room[] = [];
  const open = async (peer?: Peer) => {
    const room = await Room.open(broker, peer);
    rooms.push(room);
    return room;
  };
  try {
    return await Promise.race([work(peers, open), aborted(signal)]);
  } finally {
    await Promise.all(rooms.map((room) => room.close()));
  }
}

async function work(peers: Peer[], open: (peer?: Peer) => Promise<Room>): Promise<InteropResults> {
  const all = [undefined, ...peers];
  const rooms = await Promise.all(all.map(open));
  await Promise.all(rooms.map((room) => room.consume()));
  // One after the other, so that whatever arrives is that one's.
  const matrix: Cell[][] = [];
  for (const producer of all) matrix.push(await produceInto(producer, rooms));

  const checks = new Map<string, Check[]>(peers.map(({ name }) => [name, []]));
  await Promise.all(
    peers.map(async (peer, index) => {
      checks.set(peer.name, [
        ...checkProperties(matrix[0]?.[index + 1] as Cell),
        ...checkCalls(matrix[index + 1]?.[0] as Cell),
        await checkOtherQueue(await open(), peer),
        ...(await checkRedelivery(rooms[index + 1] as Room)),
      ]);
    }),
  );
  const refusals = await checkRefusals(await open());
  return { names: rooms.map(({ name }) => name), matrix, checks, refusals };
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw signal.reason;
}
