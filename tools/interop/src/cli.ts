import { parseArgs } from "node:util";
import { progress, startBroker } from "broker";
import { interop, preparePeers } from "./interop.ts";
import { amqp10, languages } from "./languages.ts";
import { isWell, report } from "./report.ts";

const names = [...languages, amqp10].map(({ name }) => name);
const usage = `Usage: pnpm interop [--only ${names.slice(0, 2).join()}] [--help]`;

const help = `${usage}

Our scripts of the seven official tutorials talk to small programs in other languages, which keep the same contract:
each publishes to each, and each calls each. Prints tables of what works. Exit code 1: something doesn't.

  --only   only these languages, with commas between them: ${names.join(", ")}
  --help   says this

A language whose toolchain is not installed is skipped, with a line that says so. Client libraries come from the
languages' package registries the first time. PHP and Ruby take those that Debian packages: php-amqplib, ruby-bunny.
See pnpm broker --help for how it finds or starts a broker.`;

function refuse(reason: string): never {
  console.error(`${reason}\n${usage}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: { only: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const options = readArguments();
if (options.help) {
  console.log(help);
  process.exit(0);
}
const wanted = options.only?.split(",");
for (const name of wanted ?? []) if (!names.includes(name)) refuse(`There is no language "${name}".`);

const interrupted = new AbortController();
const stop = () => {
  // Programs and brokers end when this process does.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

const { say, end } = progress();
try {
  const broker = await startBroker({ say, signal: interrupted.signal });
  try {
    const peers = await preparePeers(broker, wanted, say);
    if (peers.length === 0) throw new Error("There is no other language to talk to.");
    const results = await interop(broker, peers, interrupted.signal);
    console.log(report(results));
    process.exitCode = isWell(results) ? 0 : 1;
  } finally {
    await broker.stop();
  }
} catch (error) {
  end();
  if (!interrupted.signal.aborted) console.error((error as Error).message);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
