import { createInterface } from "node:readline";
import type { Channel } from "amqplib";

/**
 * Tells the soak what has happened: a line on stdout. Where that is a pipe, Node writes it at once (except on Windows),
 * so what was told before a kill has been told.
 */
export function tell(...words: (string | number)[]): void {
  process.stdout.write(`${words.join(" ")}\n`);
}

/**
 * Does what the soak says, a word in each line of stdin. All know "memory". When stdin ends, so has the soak, and this
 * process ends, too.
 *
 * @param commands What to do, by word.
 */
export function obey(commands: Record<string, () => void> = {}): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (word) => {
    if (word === "memory") tellMemory();
    else commands[word]?.();
  });
  lines.once("close", () => process.exit(1));
  // It is no reason to live on.
  (process.stdin as unknown as { unref(): void }).unref();
}

/** What is really in use: without the garbage. */
function tellMemory(): void {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  tell("memory", rss, heapUsed);
}

const quorum = { "x-queue-type": "quorum" };
const queueArguments: Record<string, object> = {
  quorum,
  classic: { "x-queue-type": "classic" },
  // It refuses messages as soon as its consumers fall behind.
  short: { "x-queue-type": "classic", "x-max-length": 50, "x-overflow": "reject-publish" },
  poison: {
    ...quorum,
    "x-delivery-limit": 3,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": "dead",
  },
  dead: quorum,
};

/**
 * Declares durable queues, and those for messages that can't be handled: `poison`, and `dead`, where they end.
 *
 * @param queues Their names, which say what they are like.
 */
export async function declare(channel: Channel, queues: string[]): Promise<void> {
  for (const queue of [...queues, "poison", "dead"])
    await channel.assertQueue(queue, { durable: true, arguments: queueArguments[queue] });
}
