import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** A point in time until which something is waited for. */
export interface Deadline {
  /** How much of it is left, in ms; never below 0. */
  left(): number;
}

/** The longest that Node's timers wait, in ms: 24.8 days. */
const LONGEST = 2 ** 31 - 1;

/** A deadline in so many ms from now; `Infinity` is as long as Node's timers wait. */
export function deadlineIn(ms: number): Deadline {
  const end = performance.now() + Math.min(ms, LONGEST);
  return { left: () => Math.max(0, end - performance.now()) };
}

/**
 * Waits for a promise, but not for longer than a deadline allows.
 *
 * @param promise What is waited for. When it rejects, so does this.
 * @returns Whether it came in time.
 */
export async function inTime(promise: Promise<unknown>, deadline: Deadline): Promise<boolean> {
  const waiting = new AbortController();
  const late = pause(deadline.left(), false, { signal: waiting.signal }).catch(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    waiting.abort();
  }
}

/** A channel or a connection of amqplib. */
interface Closable extends NodeJS.EventEmitter {
  close(): Promise<void>;
}

/**
 * Closes a channel or a connection, whatever becomes of it meanwhile.
 *
 * amqplib 2.3.1 never settles the promise of `close` when the connection is lost before the broker has answered. A Node
 * process that awaits such a promise ends with exit code 13.
 *
 * @param what What is to be closed.
 * @param deadline How long to wait for the broker's answer.
 * @returns Whether it was closed in time.
 */
export async function closed(what: Closable, deadline: Deadline): Promise<boolean> {
  const done = new AbortController();
  try {
    return await inTime(Promise.race([once(what, "close", { signal: done.signal }), what.close()]), deadline);
  } catch {
    // It was closed already, or is lost.
    return true;
  } finally {
    done.abort();
  }
}
