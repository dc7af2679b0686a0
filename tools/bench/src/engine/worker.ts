import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** What to start, without a shell. */
export interface Program {
  file: string;
  args: string[];
}

/** What a worker reports when it is ready, and at its end. */
export type Done = Record<string, unknown>;

export interface WorkerOptions {
  /** For AMQP_URL. */
  amqpUrl?: string;
  /** More variables of its environment. */
  env?: Record<string, string>;
  /** Hears the `count` of each progress event. */
  onProgress?: (count: number) => void;
  /** Kills the worker, and makes `ready` and `done` reject with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A producer or consumer under measurement, in a process of its own.
 *
 * A worker prints a line of JSON for each event: `{"event":"ready"}` when it is connected or subscribed,
 * `{"event":"progress","count":…}` on the way, at its end `{"event":"done",…}`. A line on its standard input means "go"
 * (or "stop", to one that runs until then). It ends when its standard input ends, so none outlives this process.
 */
export interface Worker {
  /** Resolves, to what it reports then, when it is ready. Rejects when it ends before, with what it printed on stderr. */
  ready: Promise<Done>;
  /** Resolves to what it reports at its end. Rejects when it ends without. */
  done: Promise<Done>;
  /** Writes a line. */
  go(): void;
  /** Ends it at once. Resolves when it has ended. */
  kill(): Promise<void>;
}

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
  const ready = withResolvers<Done>();
  const done = withResolvers<Done>();
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
      if (event === "ready") ready.resolve(rest);
      else if (event === "progress") onProgress(rest.count);
      else if (event === "done") done.resolve(rest);
    } catch {
      fail(new Error(`${file} ${args.join(" ")} printed a line that isn't JSON: ${line}`));
      child.kill("SIGKILL");
    }
  });
  const stop = () => {
    fail(signal?.reason);
    child.kill("SIGKILL");
  };
  child.on("close", (code, killedBy) => {
    fail(new Error(`${file} ${args.join(" ")} ended early (${code ?? killedBy}):\n${errors.trim()}`));
    signal?.removeEventListener("abort", stop);
  });
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });

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

/** `Promise.withResolvers`, which Node 20 lacks. A rejection that is not awaited is no error. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
