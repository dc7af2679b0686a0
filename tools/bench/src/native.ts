import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Program } from "./worker.ts";

const execute = promisify(execFile);
const folder = fileURLToPath(new URL("../native", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/native", import.meta.url));

export interface ProducerOptions {
  queue: string;
  /** Messages. */
  count: number;
  /** Of a body, in bytes: 4 at least, which hold its number, from 0, as a big-endian integer. */
  size: number;
  persistent: boolean;
  /** How many messages may be unconfirmed, each answered with how long that took. 0: no confirms. */
  window: number;
}

export interface ConsumerOptions {
  queue: string;
  /** Messages. Of no effect with `ack: "auto"`. */
  prefetch: number;
  /** Each by itself, grouped (one for all that a turn has brought), or none, since the broker takes it as given. */
  ack: "each" | "grouped" | "auto";
  /** How many messages the bodies are numbered for. */
  count: number;
}

export interface CallerOptions {
  queue: string;
  /** Calls, one message each way. */
  count: number;
  /** Of a request and of its reply, in bytes: 4 at least. */
  size: number;
  /** How many calls may be unanswered. */
  inFlight: number;
  /** Where replies go: RabbitMQ's direct reply-to, or an exclusive queue of the client's. */
  replies: "direct" | "exclusive";
}

/**
 * The programs of native/amqp.c, which are workers (see worker.ts) and declare no queue. At its end each says:
 *
 * - `producer`, which publishes when it is told to go: `count`, `first` and `last` (ms since 1970, with fractions:
 *   before the first publish, and after the last confirm, or without confirms when the broker has read all), and with
 *   confirms how long these took: `p50`, `p90`, `p99`, `p999`, `max` in ms. It then waits to be ended.
 * - `consumer`, which ends when it is told to stop: `count` deliveries, `first` (ms since 1970: at the first delivery),
 *   `last` (after the last acknowledgement was written), and what `Seen` reports: `seen`, `repeated`.
 * - `server`, which answers each request with its body until it is told to stop: nothing.
 * - `caller`, which calls when it is told to go: as a producer with confirms.
 */
export interface Native {
  /** "librabbitmq 0.11.0" */
  version: string;
  producer(options: ProducerOptions): Program;
  consumer(options: ConsumerOptions): Program;
  server(options: Pick<ConsumerOptions, "queue" | "prefetch" | "ack">): Program;
  caller(options: CallerOptions): Program;
}

/**
 * The official Python tutorial's new_task.py and worker.py, speaking as those of `Native` do: a durable quorum queue,
 * which both declare, persistent messages without confirms, prefetch 1, each acknowledged. The tuned ones take the
 * options that C's do, and declare nothing.
 */
export interface Pika {
  /** "pika 1.2.0, Python 3.11.2" */
  version: string;
  producer(options: Pick<ProducerOptions, "queue" | "count" | "size">): Program;
  consumer(options: Pick<ConsumerOptions, "queue" | "count">): Program;
  tunedProducer(options: ProducerOptions): Program;
  tunedConsumer(options: Omit<ConsumerOptions, "ack"> & { ack: "each" | "auto" }): Program;
}

/** Why this machine can't run it, in a line that says what to install. */
export interface Missing {
  missing: string;
}

/** Compiles native/amqp.c, unless that is done already. */
export async function findNative(): Promise<Native | Missing> {
  const flags = await librabbitmq();
  if ("missing" in flags) return flags;
  const program = await compile(flags);
  if (typeof program !== "string") return program;
  const run = (...args: (string | number)[]) => ({ file: program, args: args.map(String) });
  return {
    version: `librabbitmq ${flags.version}`,
    producer: ({ queue, count, size, persistent, window }) =>
      run("producer", queue, count, size, Number(persistent), window),
    consumer: ({ queue, prefetch, ack, count }) => run("consumer", queue, prefetch, ack, count),
    server: ({ queue, prefetch, ack }) => run("server", queue, prefetch, ack),
    caller: ({ queue, count, size, inFlight, replies }) =>
      run("caller", queue, count, size, inFlight, replies),
  };
}

/** Looks for a Python that can import pika. */
export async function findPika(): Promise<Pika | Missing> {
  const script =
    "import pika, platform; print(f'pika {pika.__version__}, Python {platform.python_version()}')";
  // Debian's python3-pika belongs to Debian's Python, which may not be the first on the PATH.
  for (const file of ["python3", "/usr/bin/python3", "python"]) {
    const found = await execute(file, ["-c", script]).catch(() => undefined);
    if (!found) continue;
    const run = (script: string, ...args: (string | number)[]) => ({
      file,
      // -B: leaves no compiled copies in this folder
      args: ["-B", join(folder, script), ...args.map(String)],
    });
    return {
      version: found.stdout.trim(),
      producer: ({ queue, count, size }) => run("new_task.py", queue, count, size),
      consumer: ({ queue, count }) => run("worker.py", queue, count),
      tunedProducer: ({ queue, count, size, persistent, window }) =>
        run("producer.py", queue, count, size, Number(persistent), window),
      tunedConsumer: ({ queue, prefetch, ack, count }) => run("consumer.py", queue, prefetch, ack, count),
    };
  }
  return { missing: "Python's pika is not installed: apt-get install python3-pika, or pip install pika." };
}

interface Library {
  version: string;
  flags: string[];
}

async function librabbitmq(): Promise<Library | Missing> {
  try {
    const { stdout: version } = await execute("pkg-config", ["--modversion", "librabbitmq"]);
    const { stdout: flags } = await execute("pkg-config", ["--cflags", "--libs", "librabbitmq"]);
    return { version: version.trim(), flags: flags.split(/\s+/).filter(Boolean) };
  } catch (error) {
    const what = (error as NodeJS.ErrnoException).code === "ENOENT" ? "pkg-config" : "librabbitmq";
    return {
      missing: `C's ${what} is not installed: apt-get install librabbitmq-dev pkg-config gcc, or brew install rabbitmq-c pkgconf.`,
    };
  }
}

/** @returns The program's path. */
async function compile({ version, flags }: Library): Promise<string | Missing> {
  const source = join(folder, "amqp.c");
  const hash = createHash("sha256")
    .update(version)
    .update(flags.join(" "))
    .update(await readFile(source));
  const program = join(cache, `amqp-${hash.digest("hex").slice(0, 16)}`);
  if (await exists(program)) return program;
  await mkdir(cache, { recursive: true });
  // Renamed when it is whole: another benchmark may be looking for it at this moment.
  const unfinished = `${program}.${process.pid}`;
  try {
    await execute("cc", [
      "-std=c11",
      "-O2",
      "-Wall",
      "-Wextra",
      "-o",
      unfinished,
      source,
      ...flags,
      "-pthread",
    ]);
    await rename(unfinished, program);
    return program;
  } catch (error) {
    await rm(unfinished, { force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { missing: "A C compiler is not installed: apt-get install gcc, or xcode-select --install." };
    const { stderr } = error as { stderr?: string };
    return {
      missing: `native/amqp.c does not compile: ${stderr?.split("\n").find((line) => line.includes("error"))}`,
    };
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
