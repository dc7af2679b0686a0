import { existsSync } from "node:fs";
import { join } from "node:path";
import { startBroker } from "broker";
import { cac } from "cac";
import { type Outcome, run } from "./run.ts";

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const options = parse(argv);
  if (typeof options === "number") return options;
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());

  const broker = await startBroker({ say: console.log, signal: stopping.signal });
  process.env.AMQP_URL = broker.amqpUrl;
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl;
  let failed = false;
  try {
    for (const name of options.packages) {
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

function tell({ outcome, file, line, what, replacement }: Outcome, index: number, count: number): void {
  const progress = `${String(index + 1).padStart(String(count).length)}/${count}`;
  const where = `${file}:${line} ${what}`;
  console.log(
    outcome === "killed" ? `${progress} killed   ${where}` : `${progress} SURVIVED ${where}: ${replacement}`,
  );
}

function report(outcomes: Outcome[]): void {
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

function parse(argv: string[]): { packages: string[]; most: number } | number {
  const cli = cac("pnpm mutate");
  cli
    .usage(
      `<package>... [--most N]

Changes one thing at a time in a package's src, runs its tests, and lists the changes that no test noticed. The file is
put back after each change. It takes as long as the tests do, once for each change that survives.`,
    )
    .option("--most <n>", "How many changes to try, spread over all of them", { default: 1_000_000 })
    .example("pnpm mutate topics --most 20")
    .help();
  const refuse = (reason: string): number => {
    console.error(`${reason}\nUsage: pnpm mutate <package>... [--most N]`);
    return 2;
  };
  try {
    const { args, options } = cli.parse(argv, { run: false });
    if (options.help) return 0;
    cli.globalCommand.checkUnknownOptions();
    cli.globalCommand.checkOptionValue();
    const unknown = args.find((name) => !folderOf(name));
    if (unknown !== undefined)
      return refuse(`There is no package ${JSON.stringify(unknown)} with src and test.`);
    if (args.length === 0) return refuse("Which package?");
    if (!Number.isSafeInteger(options.most) || options.most < 1)
      return refuse("--most takes a whole number from 1 up.");
    return { packages: [...args], most: options.most };
  } catch (error) {
    return refuse((error as Error).message);
  }
}
