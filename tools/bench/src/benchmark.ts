import { randomUUID } from "node:crypto";
import { type Broker, progress as brokerProgress, startBroker, type VirtualHost } from "broker";
import { Progress } from "./progress.ts";

/** What the command line says. */
export interface Options {
  /** Few and short rounds: does it run? */
  quick: boolean;
  /** How many rounds count. By default what the benchmark needs. */
  rounds: number | undefined;
  /** Keeps the runs that the results have and measures the rest. */
  resume: boolean;
  /** Measures nothing, and draws the results again. */
  plotOnly: boolean;
  /** Which of the benchmark's `extras` to measure, too. */
  with: string[];
  /** Of this benchmark's results.jsonl, plots and page. Quick runs have one of their own. */
  folder: string;
}

export interface Benchmark {
  name: string;
  /** For the usage: a line. */
  summary: string;
  /** What it measures only when asked to by --with. */
  extras?: string[];
  /**
   * Measures, writes into `options.folder`, and prints its figures on stdout.
   *
   * @returns A line with what matters most, and what was left out because this machine lacks it.
   * @throws `Interrupted` after Ctrl-C.
   */
  run(options: Options): Promise<string>;
}

/** What the user can mend: its message is all there is to say. */
export class UserError extends Error {}

/** Ctrl-C, or another signal to end. */
export class Interrupted extends Error {}

export interface Session {
  broker: Broker;
  progress: Progress;
  /** Aborted, with `Interrupted`, by Ctrl-C. For the workers. */
  signal: AbortSignal;
  /** One that is deleted at the end. */
  makeVirtualHost(): Promise<VirtualHost>;
}

/**
 * Finds or starts a broker for as long as the work takes.
 *
 * @param work What to do with it. Its promise settles when all that it has started has ended.
 * @returns What the work returns.
 * @throws `Interrupted` after SIGINT, SIGTERM or SIGHUP, when everything has ended.
 */
export async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Interrupted());
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, stop);
  const { signal } = stopping;
  const { say, end } = brokerProgress();
  const progress = new Progress();
  const virtualHosts: VirtualHost[] = [];
  let broker: Broker | undefined;
  try {
    broker = await startBroker({ say, signal }).catch((error) => {
      throw new UserError(error.message);
    });
    end();
    const { createVirtualHost } = broker;
    const makeVirtualHost = async () => {
      const virtualHost = await createVirtualHost(`bench-${randomUUID()}`);
      virtualHosts.push(virtualHost);
      return virtualHost;
    };
    return await work({ broker, progress, signal, makeVirtualHost });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    end();
    progress.stop();
    for (const virtualHost of virtualHosts) await virtualHost.delete();
    await broker?.stop();
    for (const name of signals) process.off(name, stop);
  }
}
