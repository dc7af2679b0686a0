import { readFileSync } from "node:fs";
import { startBroker } from "broker";
import { list, progress, readCommandLine, UsageError } from "cli";
import { interop, preparePeers } from "./interop.ts";
import { amqp10, languages } from "./languages.ts";
import { differences } from "./page.ts";
import { isWell, report } from "./report.ts";

const names = [...languages, amqp10].map(({ name }) => name);

const options = readCommandLine(
  process.argv.slice(2),
  {
    name: "pnpm interop",
    about: `Our scripts of the seven official tutorials talk to small programs in other languages, which keep the same contract:
each publishes to each, and each calls each. Prints tables of what works. Exit code 1: something doesn't, or README.md has
another table.`,
    options: { only: list("LANGUAGES", `Only these, with commas between them: ${names.join(", ")}`) },
    more: `A language whose toolchain is not installed is skipped, with a line that says so. Client libraries come from the
languages' package registries the first time. PHP and Ruby take those that Debian packages: php-amqplib, ruby-bunny.
See pnpm broker --help for how it finds or starts a broker.`,
  },
  ({ only }) => {
    for (const name of only ?? [])
      if (!names.includes(name)) throw new UsageError(`There is no language "${name}".`);
    return { wanted: only };
  },
);
if (typeof options === "number") process.exit(options);
const { wanted } = options;

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
    const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const different = differences(page, results);
    if (different.length > 0) console.error(["", ...different].join("\n"));
    process.exitCode = isWell(results) && different.length === 0 ? 0 : 1;
  } finally {
    await broker.stop();
  }
} catch (error) {
  if (!interrupted.signal.aborted) console.error((error as Error).message);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
} finally {
  end();
}
