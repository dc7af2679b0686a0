import { execFile } from "node:child_process";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packageVersion } from "./machine.ts";
import type { AmqplibOptions, Consumer, Producer, Roles } from "./roles.ts";
import type { Program } from "./worker.ts";

const execute = promisify(execFile);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The programs for both ends of a queue. */
export interface Players {
  producer(options: Producer): Program;
  consumer(options: Consumer): Program;
}

/**
 * A TypeScript worker.
 *
 * @param worker Its file's name in ../workers.
 * @param options What it is told, as JSON.
 */
export const typescript = (worker: string, role: string, options: object): Program => ({
  file: process.execPath,
  args: ["--import", "tsx", here(`../workers/${worker}`), role, JSON.stringify(options)],
});

/** The worker on amqplib. */
export const amqplib = <Role extends keyof Roles>(
  role: Role,
  options: Roles[Role] & AmqplibOptions,
): Program => typescript("amqplib.ts", role, options);

/** Programs that aren't for Node. */
export interface Foreign extends Players {
  /** "librabbitmq 0.11.0" */
  version: string;
}

/** Why this machine can't run it: a line that names what to install. */
export interface MissingProgram {
  missing: string;
}

/** Compiles native/amqp.c, on librabbitmq. */
export async function findC(): Promise<Foreign | MissingProgram> {
  try {
    const { stdout: version } = await execute("pkg-config", ["--modversion", "librabbitmq"]);
    const { stdout: flags } = await execute("pkg-config", ["--cflags", "--libs", "librabbitmq"]);
    const file = await compile(flags.split(/\s+/).filter(Boolean));
    const run = (...args: (string | number)[]) => ({ file, args: args.map(String) });
    return {
      version: `librabbitmq ${version.trim()}`,
      producer: ({ queue, count, size, persistent, window }) =>
        run("producer", queue, count, size, Number(persistent), window),
      consumer: ({ queue, prefetch, ack, count }) => run("consumer", queue, prefetch, ack, count),
    };
  } catch (error) {
    const { cmd = "", stderr = "" } = error as { cmd?: string; stderr?: string };
    const complaint = cmd.startsWith("cc ") && /^.*error.*$/m.exec(stderr)?.[0];
    return {
      missing: complaint
        ? `C: native/amqp.c does not compile: ${complaint}`
        : "C: librabbitmq, pkg-config or a compiler is not installed: apt-get install librabbitmq-dev pkg-config gcc, or brew install rabbitmq-c pkgconf.",
    };
  }
}

/** Copies amqplib and applies docs/amqplib-corked-writes.patch to the copy. */
export async function findCorked(): Promise<Foreign | MissingProgram> {
  const original = dirname(fileURLToPath(import.meta.resolve("amqplib")));
  const copy = here(`../../node_modules/.cache/amqplib-${process.pid}`);
  const final = here("../../node_modules/.cache/amqplib-corked");
  try {
    await cp(original, copy, { recursive: true, dereference: true });
    const patch = here("../../../../docs/amqplib-corked-writes.patch");
    await execute("patch", ["--strip=1", "--input", patch], { cwd: copy });
    await rm(final, { recursive: true, force: true });
    await rename(copy, final);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return {
      missing: `corked: ${code === "ENOENT" ? "patch is not installed: apt-get install patch" : message}`,
    };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  const module = join(final, basename(fileURLToPath(import.meta.resolve("amqplib"))));
  return {
    version: `amqplib ${packageVersion("amqplib")}, patched`,
    producer: (options) => amqplib("producer", { ...options, module }),
    consumer: (options) => amqplib("consumer", { ...options, module }),
  };
}

async function compile(flags: string[]): Promise<string> {
  const folder = here("../../node_modules/.cache");
  await mkdir(folder, { recursive: true });
  const program = join(folder, "amqp");
  // Renamed when it is complete: another benchmark may run it at this moment.
  const unfinished = `${program}.${process.pid}`;
  const source = here("../../native/amqp.c");
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
  } finally {
    await rm(unfinished, { force: true });
  }
  return program;
}
