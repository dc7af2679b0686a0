import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { flag, readCommandLine, string } from "cli";
import { text } from "shared";
import { Looker } from "./looker.ts";
import { LookError, type Sight } from "./sight.ts";
import { tree } from "./tree.ts";
import { draw } from "./window.ts";

process.exitCode = await main(process.argv.slice(2));

/** @returns The exit code: 0; 1 when there is nothing to be seen, with why on stderr; 2 for wrong arguments. */
async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
  // The reader may have seen enough: `pnpm look --watch | head`.
  process.stdout.on("error", () => process.exit(0));
  try {
    const looker = new Looker(options.vhost);
    if (options.watch) return await watch(looker, options.json);
    const sight = await looker.look();
    console.log(options.json ? JSON.stringify(sight, undefined, 2) : tree(sight).join("\n"));
    await looker.close();
    return 0;
  } catch (error) {
    if (!(error instanceof LookError)) throw error;
    console.error(lines(error).join("\n"));
    return 1;
  }
}

/** It repeats what a server answered. */
function lines(error: LookError): string[] {
  return error.message.split("\n").map((line) => text(line));
}

function parse(args: string[]) {
  return readCommandLine(
    args,
    {
      name: "pnpm look",
      about:
        "Shows what a broker holds: exchanges, their bindings, and the queues that these lead to. It changes nothing.",
      options: {
        vhost: string("NAME", 'The virtual host, if not the one in AMQP_URL, or else "/"'),
        watch: flag(
          "Looks every second until Ctrl-C. Without a terminal to draw on, it prints what has changed",
        ),
        json: flag("For programs; with --watch, one line for each look that found a change"),
      },
      more: `It asks the management API, and AMQP for exact figures. A ~ marks one that RabbitMQ counted some seconds ago; in JSON
it is named in "mayLag".

Environment:
  RABBITMQ_MANAGEMENT_URL   http://user:password@host:15672, by default the host of AMQP_URL
  AMQP_URL                  amqp://user:password@host:5672/virtual-host, by default the host of the other one`,
    },
    (values) => values,
  );
}

/** Shows the broker until Ctrl-C. Once it has been seen, it may go away and come back. */
async function watch(looker: Looker, json: boolean): Promise<number> {
  const stopping = new AbortController();
  const stopped = once(stopping.signal, "abort");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => (stopping.signal.aborted ? process.exit(0) : stopping.abort()));
  const isDrawn = !json && process.stdout.isTTY;
  const show = json ? line : isDrawn ? (sight: Sight) => draw(tree(sight)) : snapshots();
  let seen = false;
  let before: string | undefined;
  while (!stopping.signal.aborted) {
    let now: string;
    try {
      const sight = await Promise.race([looker.look(), stopped]);
      if (Array.isArray(sight)) break;
      seen = true;
      now = JSON.stringify(sight);
      // A terminal may have changed its size, so it is drawn anew.
      if (now !== before || isDrawn) show(sight);
    } catch (error) {
      if (!seen || !(error instanceof LookError)) throw error;
      now = error.message;
      if (isDrawn) draw(lines(error));
      else if (now !== before) console.error(lines(error).join("\n"));
    }
    before = now;
    // ms
    await setTimeout(1000, undefined, { signal: stopping.signal }).catch(() => {});
  }
  await looker.close();
  return 0;
}

function line(sight: Sight) {
  console.log(JSON.stringify(sight));
}

function snapshots() {
  let isFirst = true;
  return (sight: Sight) => {
    if (!isFirst) console.log(`\n--- ${new Date().toLocaleTimeString("en-GB")}\n`);
    isFirst = false;
    console.log(tree(sight).join("\n"));
  };
}
