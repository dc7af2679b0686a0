import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { ManagementError, progress, startBroker } from "broker";
import { WATCH } from "./pages/catalogue.ts";
import { Live } from "./server/live.ts";
import { serve } from "./server/server.ts";

const usage = "Usage: pnpm live [pattern] [--watch] [--port N] [--open] [--help]";

const help = `${usage}

Serves a page on 127.0.0.1 that shows a pattern's messages on a real RabbitMQ, and lets you act on them.
Ctrl-C ends it, with all that it has started.

  --watch  shows what others do on the broker at AMQP_URL, in its virtual host, and plays nothing; the broker traces
           each message meanwhile, which costs it about half of its throughput
  --port   the page's port, by default a free one
  --open   opens the page in your browser
  --help   shows this

How it finds or starts its RabbitMQ: pnpm broker --help`;

/**
 * The command line of `pnpm live`.
 *
 * @param args What follows.
 * @param root The repository's root.
 * @returns The exit code: 0 after Ctrl-C, 1 when there is no broker or the port is in use, 2 for wrong arguments.
 */
export async function main(args: string[], root: string): Promise<number> {
  const options = parse(args);
  if (!options) return 2;
  if (options.help) {
    console.log(help);
    return 0;
  }
  const stopping = new AbortController();
  // A second signal doesn't wait. What is then left ends with this process.
  const stop = (signal: NodeJS.Signals) =>
    stopping.signal.aborted ? process.exit(128 + constants.signals[signal]) : stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const { say, end } = progress();
  try {
    const broker = await startBroker({ say, signal: stopping.signal });
    try {
      const { watch, port, open, pattern = watch ? WATCH : "" } = options;
      const live = new Live(root, broker, watch);
      if (pattern !== "" && !live.patterns.includes(pattern)) {
        console.error(
          `There is no pattern "${pattern}". \`pnpm tour --list\` shows which there are.\n${usage}`,
        );
        return 2;
      }
      const server = await serve(live, { port });
      try {
        if (pattern !== "") await live.act({ do: "open", pattern });
        console.log(`${server.address(pattern)}\nPress Ctrl-C to stop.`);
        if (open) openBrowser(server.address(pattern));
        if (!stopping.signal.aborted) await once(stopping.signal, "abort");
        return 0;
      } finally {
        await server.close();
        await live.close();
      }
    } finally {
      await broker.stop();
    }
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    console.error(inWords(error as Error, options.port));
    return 1;
  } finally {
    end();
  }
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: { type: "string" },
        open: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (positionals.length > 1) throw new Error("One pattern at most.");
    if (values.watch && positionals.length > 0) throw new Error("--watch plays no pattern.");
    if (values.watch && !process.env.AMQP_URL) throw new Error("--watch needs AMQP_URL: which broker?");
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))
      throw new Error(`--port ${values.port}: expected a number from 1 to 65535.`);
    return { ...values, port, pattern: positionals[0] };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return undefined;
  }
}

function inWords(error: Error, port: number | undefined): string {
  if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
    return `Port ${port} is in use. Without --port a free one is taken.`;
  if (error instanceof ManagementError)
    return error.status === undefined
      ? `${error.message}\nThe page needs RabbitMQ's management API: rabbitmq-plugins enable rabbitmq_management, or RABBITMQ_MANAGEMENT_URL.`
      : `${error.message}\nThe page needs a user with the tag administrator.`;
  return error.message;
}

function openBrowser(address: string): void {
  const [program, ...args] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", ""]
        : ["xdg-open"];
  const child = spawn(program as string, [...args, address], { detached: true, stdio: "ignore" });
  child.on("error", () => console.error("No browser could be opened. Open the address above."));
  child.unref();
}
