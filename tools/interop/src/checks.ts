import { calls, confirms, rpc, tutorials } from "./contract.ts";
import type { Peer } from "./languages.ts";
import type { Cell } from "./matrix.ts";
import { failure, startPeer, startScript } from "./programs.ts";
import type { Arrival, Room } from "./room.ts";

/** One thing that was looked at, and why it isn't so. */
export interface Check {
  name: string;
  failure: string | undefined;
}

/**
 * What a peer has seen of our messages beside their bodies.
 *
 * @param cell What came of our producers in the peer's room.
 */
export function checkProperties({ seen }: Cell): Check[] {
  const wrong = (header: string, wanted: Map<string, string>) => {
    if (seen.length === 0) return "nothing was received";
    const found = seen.find(
      ({ source, headers }) => wanted.has(source) && headers[header] !== wanted.get(source),
    );
    return (
      found && `${found.source}: ${found.headers[header] || "none"} in place of ${wanted.get(found.source)}`
    );
  };
  const persistent = tutorials.filter(({ persistent }) => persistent).map(({ source }) => source);
  return [
    {
      name: "our messages have the tutorial's routing key",
      failure: wrong("routing_key", new Map(tutorials.map(({ source, routingKey }) => [source, routingKey]))),
    },
    {
      name: "our text is text/plain",
      failure: wrong("content_type", new Map(tutorials.map(({ source }) => [source, "text/plain"]))),
    },
    {
      name: "our tasks and confirmed messages are persistent",
      failure: wrong(
        "delivery_mode",
        new Map([...persistent, confirms.queue].map((source) => [source, "2"])),
      ),
    },
  ];
}

/**
 * Which id our server put into the answers to a peer's calls.
 *
 * @param cell What came of the peer's producers in our room.
 */
export function checkCalls({ seen }: Cell): Check[] {
  const answers = seen.filter(({ source }) => source === "rpc");
  return calls.map(({ ids, answered }, index) => {
    // Once with direct reply-to, and once with an exclusive queue.
    const found = answers.filter((_, number) => number % calls.length === index);
    const wrong = found.find(({ headers }) => headers.correlation_id !== answered);
    return {
      name: `our server answers a call with ${ids}`,
      failure:
        found.length < 2
          ? `${found.length} of 2 answers`
          : wrong && `correlation id "${wrong.headers.correlation_id}" in place of "${answered}"`,
    };
  });
}

/**
 * A worker dies with a task in hand: a peer's, and ours takes it over, then ours, and a peer's does.
 *
 * @param room A peer's, with its consumers. In the end they don't run any more.
 */
export async function checkRedelivery(room: Room): Promise<Check[]> {
  const task = `held${".".repeat(60)}`;
  const queue = "task_queue";
  const broughtBack = (consumer: string) =>
    room.until(`the broker to take the task of ${consumer} back`, async () => {
      const held = await room.holds(queue);
      return held?.ready === 1 && held.consumers === 0;
    });
  const told =
    (redelivered: string) =>
    ({ source, body, headers }: Arrival) =>
      source === queue && body.toString() === task && headers.redelivered === redelivered;
  return [
    await check("our worker is told that a killed peer had the task", async () => {
      room.channel.sendToQueue(queue, Buffer.from(task), { persistent: true });
      await room.until("the peer to take the task", () => room.seen.some(told("false")));
      await room.kill("peer");
      await broughtBack("the killed peer");
      room.programs.set(queue, startScript("work-queues", ["worker"], room.url));
      await room.until("our worker to be told", () =>
        room.received(queue).includes(` [x] Received ${task} (redelivered)`),
      );
    }),
    await check("a peer is told that our killed worker had the task", async () => {
      await room.kill(queue);
      await broughtBack("our killed worker");
      await room.consume();
      await room.until("the peer to be told", () => room.seen.some(told("true")));
      await room.kill("peer");
    }),
  ];
}

/**
 * Our client calls a peer's server that has declared its queue as a classic one.
 *
 * @param room An empty one.
 */
export function checkOtherQueue(room: Room, peer: Peer): Promise<Check> {
  return check("our client calls a server whose rpc_queue is a classic queue", async () => {
    room.programs.set("server", startPeer(peer, ["serve", "classic"], [room.url]));
    await room.until("the server", async () => (await room.holds(rpc.queue))?.consumers === 1);
    const client = startScript(rpc.example, rpc.client, room.url);
    const reason = await failure(client, 30_000);
    if (reason !== undefined) throw new Error(reason);
    if (!client.lines.includes(rpc.prints)) throw new Error(`it printed ${client.lines.join(" ")}`);
  });
}

async function check(name: string, work: () => Promise<void>): Promise<Check> {
  try {
    await work();
    return { name, failure: undefined };
  } catch (error) {
    return { name, failure: (error as Error).message };
  }
}
