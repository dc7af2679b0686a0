import { type Broker, startBroker } from "broker";
import { progress, UserError } from "cli";

/** Ctrl-C, or another signal to end. */
export class Interrupted extends Error {}

export interface Session {
  broker: Broker;
  /** Shows a line of progress. */
  say(line: string): void;
  /** Ends the line that something turns beside. */
  end(): void;
  /** Aborted, with `Interrupted`, by Ctrl-C. For the workers. */
  signal: AbortSignal;
}

/**
 * Finds or starts a broker for as long as the work takes.
 *
 * @param work What to do with it. What it has started has ended when its promise settles.
 * @returns What the work returns.
 * @throws `Interrupted` after SIGINT, SIGTERM or SIGHUP, when everything has ended.
 */
export async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Interrupted());
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, stop);
  const { signal } = stopping;
  const { say, end } = progress();
  let broker: Broker | undefined;
  try {
    broker = await startBroker({ say, signal }).catch((error) => {
      throw new UserError(error.message);
    });
    return await work({ broker, say, end, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    end();
    await broker?.stop();
    for (const name of signals) process.off(name, stop);
  }
}
