import { numbered, Seen } from "../seen.ts";
import { now, say, sayProgress, told } from "../work.ts";

/** What a worker does: it publishes a run's messages to a queue, or consumes them. */
export interface Publishing {
  role: "publish";
  queue: string;
  /** How many. */
  messages: number;
  /** Of a body, in bytes. */
  size: number;
  persistent: boolean;
  /** How many may be unconfirmed. 0: no confirms. */
  window: number;
}

export interface Consuming {
  role: "consume";
  queue: string;
  /** How many there are. */
  messages: number;
  /** 0: no limit, and nothing to acknowledge. */
  prefetch: number;
}

/** Writes that the socket has not taken yet, of a client that answers each with a promise. */
export const PENDING_WRITES = 1_000;

/**
 * Publishes when it is told to, and measures from the first message until the broker has had the last.
 *
 * @param messages How many.
 * @param size Of a body, in bytes.
 * @param publish Publishes one. What it returns is awaited before the next.
 * @param finish Resolves when all are confirmed.
 * @param close Closes channel and connection.
 */
export async function measurePublishing(
  { messages, size, window }: Publishing,
  publish: (body: Buffer) => Promise<unknown> | undefined,
  finish: () => Promise<unknown>,
  close: () => Promise<unknown>,
): Promise<void> {
  say("ready");
  await told();
  let published = 0;
  sayProgress(() => published);
  const first = now();
  while (published < messages) {
    const wait = publish(numbered(published++, size));
    if (wait) await wait;
  }
  await finish();
  let last = now();
  await close();
  // Without confirms it's the answer to the channel's closing that says that the broker has read them all.
  if (window === 0) last = now();
  say("done", { count: published, first, last });
  process.exit();
}

/** Counts deliveries, and measures from the first until the last is acknowledged. */
export function measureConsuming(messages: number) {
  const seen = new Seen(messages);
  let deliveries = 0;
  let first = 0;
  let last = 0;
  return {
    /** Call it with each body, when its acknowledgement has been given. */
    count(body: Buffer): void {
      last = now();
      if (deliveries++ === 0) first = last;
      seen.add(body);
    },
    /**
     * Call it when subscribed. Ends the process when it is told to.
     *
     * @param close Closes channel and connection.
     */
    async end(close: () => Promise<unknown>): Promise<void> {
      say("ready");
      sayProgress(() => deliveries);
      await told();
      await close();
      say("done", { count: deliveries, first, last, ...seen.report() });
      process.exit();
    },
  };
}
