import { readFileSync } from "node:fs";
import amqp from "amqplib";
import { startBroker } from "broker";
import { openProgram, readersEnvironment, sourceOf, type Terminal } from "stage";
import { test as base } from "vitest";
import { openWire, type Wire } from "wire";
import { compile } from "./compile.ts";

/** What differs when a script is run, from how a reader would run it. */
export interface RunOptions {
  /** The broker and the login. By default the test file's virtual host. */
  amqpUrl?: string;
  /** More variables for the script. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Starts one of the package's scripts by its name in package.json, as its own process. No pnpm, no shell and no loader
 * stand between, so its exit code is exact, stderr is told from stdout, and it starts quickly.
 */
export type Run = (script: string, ...args: string[]) => Terminal;
export type RunWith = (options: RunOptions, script: string, ...args: string[]) => Terminal;

/**
 * Makes Vitest's `test` with a real RabbitMQ, in a virtual host that nothing else uses. Its fixtures:
 *
 * - `broker`: the one that all tests of this run share.
 * - `management`: a request to its management API.
 * - `virtualHost`: made for this test file, and deleted after it. Its tests share it.
 * - `channel`: amqplib's, with confirms, in that virtual host.
 * - `run(script, ...args)`: starts a script of this package in that virtual host. `runWith({ amqpUrl, env }, script,
 *   ...args)` does so elsewhere. What still runs when the test ends is ended, and its connections with it.
 * - `wireTo(amqpUrl)`: opens a wire to a broker, which a test can hold, cut and unplug. It is closed after the test.
 * - `privateBroker`: a broker of this test's own, to kill and start again. A machine that can't start one fails the
 *   test.
 */
export const newTest = () =>
  base
    .extend("broker", { scope: "file" }, () => startBroker())
    .extend("management", ({ broker }) => broker.management)
    .extend("virtualHost", { scope: "file" }, async ({ broker }, { onCleanup }) => {
      const virtualHost = await broker.createVirtualHost();
      onCleanup(() => virtualHost.delete());
      return virtualHost;
    })
    .extend("channel", async ({ virtualHost }, { onCleanup }) => {
      const connection = await amqp.connect(virtualHost.amqpUrl, { noDelay: true });
      onCleanup(() => connection.close().catch(() => {}));
      // A test may have the broker close the one or the other.
      connection.on("error", () => {});
      const channel = await connection.createConfirmChannel();
      return channel.on("error", () => {});
    })
    .extend("runWith", async ({ virtualHost }, { onCleanup }): Promise<RunWith> => {
      const terminals: Terminal[] = [];
      onCleanup(async () => {
        await Promise.all(terminals.map(leave));
      });
      return (options, script, ...args) => {
        const terminal = start(script, args, { amqpUrl: virtualHost.amqpUrl, ...options });
        terminals.push(terminal);
        return terminal;
      };
    })
    .extend(
      "run",
      ({ runWith }): Run =>
        (script, ...args) =>
          runWith({}, script, ...args),
    )
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the source which fixtures it needs.
    .extend("wireTo", async ({}, { onCleanup }) => {
      const wires: Wire[] = [];
      onCleanup(async () => {
        await Promise.all(wires.map((wire) => wire.close()));
      });
      return async (amqpUrl: string) => {
        const wire = await openWire(amqpUrl);
        wires.push(wire);
        return wire;
      };
    })
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the source which fixtures it needs.
    .extend("privateBroker", async ({}, { onCleanup }) => {
      const broker = await startBroker({ private: true });
      onCleanup(() => broker.stop());
      return broker;
    });

/** Vitest's `test` with a real RabbitMQ, in a virtual host for each test file. See `newTest` for its fixtures. */
export const test = newTest();

/**
 * Asks a program to end, since its queues and consumers are gone by then: of one that is killed the broker learns a
 * moment later, and the next test could still meet them. One that would rather finish its work first is killed.
 */
async function leave(terminal: Terminal): Promise<void> {
  terminal.terminate();
  await terminal.until(() => terminal.ended !== undefined, 3_000);
  await terminal.close();
}

/** One of the package's scripts: its command, and the source that it runs. */
export function readScript(script: string) {
  const { name, scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const command: string = scripts[script] ?? "";
  return { name, command, source: sourceOf(command) };
}

function start(script: string, args: string[], { amqpUrl, env }: RunOptions): Terminal {
  const { name, command, source } = readScript(script);
  const compiled = source && compile(source);
  const [program, ...words] = compiled ? ["node", compiled] : command.split(" ");
  if (program !== "node") throw new Error(`package.json has no script "${script}" that is run by node.`);
  return openProgram(process.execPath, [...words, ...args], {
    cwd: process.cwd(),
    env: readersEnvironment({
      AMQP_URL: amqpUrl,
      npm_package_name: name,
      npm_lifecycle_event: script,
      ...env,
    }),
  });
}
