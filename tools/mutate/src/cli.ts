import { existsSync } from "node:fs";
import { join } from "node:path";
import { startBroker } from "broker";
import { readCommandLine, UsageError, whole } from "cli";
import { type MutationOutcome, run } from "./run.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());

  const broker = await startBroker({ say: console.log, signal: stopping.signal });
  process.env.AMQP_URL = broker.amqpUrl;
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl;
  let failed = false;
  try {
    for (const name of options.packages) {
      if (stopping.signal.aborted) break;
      console.log(`\n${name}`);
      try {
        const folder = folderOf(name) as string;
        report(await run(folder, { most: options.most, signal: stopping.signal, tell }));
      } catch (error) {
        console.error((error as Error).message);
        failed = true;
      }
    }
  } finally {
    await broker.stop();
  }
  return stopping.signal.aborted ? 130 : failed ? 1 : 0;
}

function tell(
  { outcome, file, line, what, replacement }: MutationOutcome,
  index: number,
  count: number,
): void {
  const progress = `${String(index + 1).padStart(String(count).length)}/${count}`;
  const where = `${file}:${line} ${what}`;
  console.log(
    outcome === "killed" ? `${progress} killed   ${where}` : `${progress} SURVIVED ${where}: ${replacement}`,
  );
}

function report(outcomes: MutationOutcome[]): void {
  const killed = outcomes.filter(({ outcome }) => outcome === "killed").length;
  console.log(`${killed} of ${outcomes.length} killed`);
}

/** A package's folder, or `undefined` where there is no such package with sources and tests. */
function folderOf(name: string): string | undefined {
  const root = join(import.meta.dirname, "../../..");
  return [join(root, "examples", name), join(root, name), join(root, "tools", name)].find(
    (folder) => /^[\w-]+$/.test(name) && existsSync(join(folder, "src")) && existsSync(join(folder, "test")),
  );
}

function parse(args: string[]): { packages: string[]; most: number } | number {
  return readCommandLine(
    args,
    {
      name: "pnpm mutate",
      words: "<package>...",
      about: `Changes one thing at a time in a package's src, runs its tests, and lists the changes that no test noticed. The file is
put back after each change. It takes as long as the tests do, once for each change that survives.`,
      options: { most: whole("How many changes to try, evenly over all of them", { from: 1 }) },
      more: "Example: pnpm mutate topics --most 20",
    },
    ({ most = Number.POSITIVE_INFINITY }, packages) => {
      const unknown = packages.find((name) => !folderOf(name));
      if (unknown !== undefined)
        throw new UsageError(`There is no package ${JSON.stringify(unknown)} with src and test.`);
      if (packages.length === 0) throw new UsageError("Which package?");
      return { packages, most };
    },
  );
}
