import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What to start, without a shell. */
export interface Program {
  file: string;
  args: string[];
}

/** What a worker says last, less "event". */
export type Done = Record<string, unknown>;

export interface WorkerOptions {
  /** For AMQP_URL. */
  amqpUrl?: string;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** Hears the `count` of each progress event. */
  onProgress?: (count: number) => void;
  /** Kills the worker, and has `ready` and `done` reject with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A producer or consumer under measurement, in a process of its own.
 *
 * A worker prints a line of JSON for each event: `{"event":"ready"}` when it is connected or subscribed,
 * `{"event":"progress","count":…}` on the way, at its end `{"event":"done",…}`. A line on its standard input says go
 * (or, to what runs until it is told, stop). When its standard input ends it ends, so none outlives this process.
 */
export interface Worker {
  /** Resolves when it is ready. Rejects when it ends before, with what it said on stderr. */
  ready: Promise<void>;
  /** Resolves to what it says at its end. Rejects when it ends without. */
  done: Promise<Done>;
  /** Writes a line. */
  go(): void;
  /** Ends it at once. Resolves when it is gone. */
  kill(): Promise<void>;
}

/** A TypeScript program of this folder. Its options are its only argument, as JSON. */
export const typescript = (script: string, options: object): Program => ({
  file: process.execPath,
  args: ["--import", "tsx", fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(options)],
});

/**
 * Starts a worker.
 *
 * @param program What to start.
 * @param options Where it connects to, and who listens to it.
 */
export function startWorker({ file, args }: Program, options: WorkerOptions = {}): Worker {
  const { amqpUrl, env, onProgress = () => {}, signal } = options;
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, ...(amqpUrl && { AMQP_URL: amqpUrl }), ...env },
    // A group of its own: Ctrl-C reaches this process only, which ends it.
    detached: true,
    windowsHide: true,
  });
  const ready = withResolvers<void>();
  const done = withResolvers<Done>();
  // Whoever awaits the one need not await the other.
  ready.promise.catch(() => {});
  done.promise.catch(() => {});
  const fail = (reason: unknown) => {
    ready.reject(reason);
    done.reject(reason);
  };

  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  child.stdin.on("error", () => {});
  child.on("error", fail);
  createInterface({ input: child.stdout }).on("line", (line) => {
    try {
      const { event, ...rest } = JSON.parse(line);
      if (event === "ready") ready.resolve();
      else if (event === "progress") onProgress(rest.count);
      else if (event === "done") done.resolve(rest);
    } catch {
      fail(new Error(`${file} ${args.join(" ")} said what isn't JSON: ${line}`));
      child.kill("SIGKILL");
    }
  });
  child.on("close", (code, killedBy) =>
    fail(new Error(`${file} ${args.join(" ")} ended early (${code ?? killedBy}):\n${errors.trim()}`)),
  );
  const stop = () => {
    fail(signal?.reason);
    child.kill("SIGKILL");
  };
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  child.on("close", () => signal?.removeEventListener("abort", stop));

  return {
    ready: ready.promise,
    done: done.promise,
    go: () => child.stdin.write("\n"),
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
