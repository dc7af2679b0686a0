import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import amqp from "amqplib";
import type { Broker } from "broker";
import { compile, readersEnvironment, sourceOf } from "stage";
import { openWire } from "wire";
import { type Check, type Exercise, Miss } from "./define.ts";
import { Program } from "./program.ts";

/** How an answer did: it passed, or this is what the learner is told. */
export type Verdict = { passed: true } | { passed: false; miss: string };

export interface CheckOptions {
  /** The repository's folder. */
  root: string;
  /** Where the answer is: its sources are in `src` there. */
  folder: string;
  broker: Broker;
  /** How many times as long as usual everything may take: more than 1 on a machine that does much else. */
  patience?: number;
  /** Ends the check and all that it runs. `check` rejects with its reason then. */
  signal?: AbortSignal | undefined;
}

/** ms. For a whole check. */
const DEADLINE = 15_000;

/**
 * Checks an answer to an exercise: compiles its scripts, and runs its check in a virtual host that nothing else uses.
 *
 * @returns Whether it passed. A script that can't be compiled hasn't.
 * @throws When the broker is gone.
 */
export async function check(exercise: Exercise, options: CheckOptions): Promise<Verdict> {
  const { root, folder, broker, patience = 1, signal } = options;
  signal?.throwIfAborted();
  const { name, scripts, dependencies } = JSON.parse(
    readFileSync(join(root, "examples", exercise.from, "package.json"), "utf8"),
  );
  const sources = Object.entries<string>(scripts).flatMap(([script, command]) => {
    const source = sourceOf(command);
    return source ? [{ script, source }] : [];
  });
  let files: Map<string, string>;
  try {
    const compiled = compile({
      folder,
      scripts: sources.map(({ source }) => source),
      external: Object.keys(dependencies).filter((name) => name !== "shared"),
      sourceMaps: true,
    });
    files = new Map(sources.map(({ script }, index) => [script, compiled[index] as string]));
  } catch (error) {
    return { passed: false, miss: notCompiled(error) };
  }

  const virtualHost = await broker.createVirtualHost();
  const programs: Program[] = [];
  const closing: (() => Promise<unknown>)[] = [() => virtualHost.delete()];
  const over = new AbortController();
  let waitingFor = "the broker";
  try {
    const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
    closing.unshift(() => connection.close().catch(() => {}));
    // A check may have the broker close the one or the other.
    connection.on("error", () => {});
    const channel = (await connection.createConfirmChannel()).on("error", () => {});

    const context: Check = {
      channel,
      virtualHost,
      amqpUrl: virtualHost.amqpUrl,
      broker,
      folder,
      run: (script, ...args) => context.runWith({}, script, ...args),
      runWith({ amqpUrl = virtualHost.amqpUrl, env }, script, ...args) {
        const file = files.get(script);
        if (!file) throw new Error(`examples/${exercise.from} has no script "${script}".`);
        const program = new Program([file, ...args], {
          script,
          patience,
          cwd: folder,
          env: readersEnvironment({
            AMQP_URL: amqpUrl,
            npm_package_name: name,
            npm_lifecycle_event: script,
            ...env,
          }),
          onWait: (what) => {
            waitingFor = what;
          },
        });
        programs.push(program);
        return program;
      },
      async wireTo(amqpUrl) {
        const wire = await openWire(amqpUrl);
        closing.unshift(() => wire.close());
        return wire;
      },
      async until(condition, otherwise, { within = 3_000 } = {}) {
        waitingFor = "the broker";
        const deadline = performance.now() + within * patience;
        while (!(await condition())) {
          if (performance.now() > deadline) throw new Miss(otherwise);
          await setTimeout(50, undefined, { signal: over.signal });
        }
      },
    };
    // It may have been aborted before `ended` listens.
    signal?.throwIfAborted();
    await Promise.race([exercise.check(context), ended(signal, over.signal), late()]);
    return { passed: true };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Miss) return { passed: false, miss: error.message };
    return { passed: false, miss: `The check could not go on: ${(error as Error).message}` };
  } finally {
    over.abort();
    await Promise.all(programs.map((program) => program.close()));
    for (const close of closing) await close();
  }

  /** Rejects when a check has had its time. */
  async function late(): Promise<never> {
    await setTimeout(DEADLINE * patience, undefined, { signal: over.signal });
    throw new Miss(`The check took longer than ${DEADLINE / 1000} s. It waited for ${waitingFor}.`);
  }
}

/** Rejects when a signal is aborted, until another one is. */
const ended = (signal: AbortSignal | undefined, over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { signal: over });
  });

/** esbuild's first error in one line. */
function notCompiled(error: unknown): string {
  const [first] =
    (error as { errors?: { text: string; location?: { file: string; line: number } }[] }).errors ?? [];
  if (!first) throw error;
  const { text, location } = first;
  return `${location ? `${location.file}, line ${location.line}: ` : ""}${text}`;
}
