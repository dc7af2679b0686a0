import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { ManagementError, startBroker } from "broker";
import { flag, port, progress, readCommandLine, UsageError } from "cli";
import { WATCH } from "./pages/catalogue.ts";
import { Live } from "./server/live.ts";
import { serve } from "./server/server.ts";

/**
 * The command line of `pnpm live`.
 *
 * @param args What follows.
 * @param root The repository's root.
 * @returns The exit code: 0 after Ctrl-C, 1 when there is no broker or the port is in use, 2 for wrong arguments.
 */
export async function main(args: string[], root: string): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
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
        console.error(`There is no pattern "${pattern}". \`pnpm tour --list\` shows which there are.`);
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
  return readCommandLine(
    args,
    {
      name: "pnpm live",
      words: "[pattern]",
      about: `Serves a page on 127.0.0.1 that shows a pattern's messages on a real RabbitMQ, and lets you act on them.
Ctrl-C ends it, with all that it has started.`,
      options: {
        watch: flag(
          "Shows what others do on the broker at AMQP_URL, and plays nothing. The broker then traces each message",
        ),
        port: port("The page's port, by default a free one"),
        open: flag("Opens the page in your browser"),
      },
      more: "How it finds or starts its RabbitMQ: pnpm broker --help",
    },
    (values, [pattern, ...more]) => {
      if (more.length > 0) throw new UsageError("One pattern at most.");
      if (values.watch && pattern !== undefined) throw new UsageError("--watch plays no pattern.");
      if (values.watch && !process.env.AMQP_URL)
        throw new UsageError("--watch needs AMQP_URL: which broker?");
      return { ...values, pattern };
    },
  );
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
