import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBroker, withBroker } from "broker";
import { flag, readCommandLine } from "cli";

const options = readCommandLine(
  process.argv.slice(2),
  {
    name: "pnpm test",
    words: "[package...]",
    about: `Runs the tests of every package, or of those named, on one RabbitMQ. What hasn't changed since it last
passed on this version of RabbitMQ isn't run again.`,
    options: { force: flag("Runs all again") },
    more: `Example: pnpm test topics rpc

AMQP_URL, BROKER and RABBITMQ_IMAGE choose the broker: pnpm broker --help`,
  },
  ({ force }, packages) => ({ force, packages }),
);
if (typeof options === "number") process.exit(options);
const { force, packages } = options;

const root = fileURLToPath(new URL("../../..", import.meta.url));
const turbo = join(root, "node_modules/.bin/turbo");
const run = [
  "run",
  "test",
  "--continue",
  "--output-logs=new-only",
  ...packages.map((name) => `--filter=${name}`),
];
if (force) run.push("--force");

// Part of every test's cache key: another version of RabbitMQ, and all run again.
process.env.BROKER_IDENTITY = (await findBroker()).identity;
process.env.TURBO_TELEMETRY_DISABLED = "1";

const tasks = plannedTasks();
// What a crash would leave of an earlier run must not be counted.
for (const { directory } of tasks) rmSync(join(root, directory, "results"), { recursive: true, force: true });

const allCached = tasks.every(({ cache }) => cache.status === "HIT");
const code = allCached ? await turboAlone() : await withBroker(turbo, run);

const { passed, failed, skipped, failures } = count();
// The packages' output is long, and mixed: what needs a look is said again at the end.
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(code || (failed > 0 ? 1 : 0));

interface Task {
  task: string;
  directory: string;
  package: string;
  command: string;
  cache: { status: "HIT" | "MISS" };
}

function plannedTasks(): Task[] {
  const { stdout, stderr, status } = spawnSync(turbo, [...run, "--dry=json"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) {
    console.error(stderr);
    process.exit(2);
  }
  const { tasks } = JSON.parse(stdout) as { tasks: Task[] };
  return tasks.filter(({ task, command }) => task === "test" && command !== "<NONEXISTENT>");
}

async function turboAlone(): Promise<number> {
  const [code] = await once(spawn(turbo, run, { cwd: root, stdio: "inherit" }), "exit");
  return code ?? 1;
}

/** Adds up what Vitest wrote about each package. Where no test ran, that is a failure. */
function count() {
  const sum = { passed: 0, failed: 0, skipped: 0, failures: [] as string[] };
  if (tasks.length === 0) {
    sum.failures.push(`${packages.join(" ")}: it has no tests`);
    sum.failed = 1;
  }
  for (const { directory, package: name } of tasks) {
    const results = read(join(root, directory, "results/tests.json"));
    const failures = results ? failuresOf(results) : [];
    const passed = results?.numPassedTests ?? 0;
    if (passed === 0 && failures.length === 0) failures.push("no test ran");
    sum.failures.push(...failures.map((why) => `${name}: ${why}`));
    sum.passed += passed;
    sum.failed += failures.length;
    sum.skipped += results?.numPendingTests ?? 0;
  }
  return sum;
}

interface VitestResults {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numPendingTests: number;
  testResults: {
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/** A line or a few for each test that failed, and for each file that couldn't be run. */
function failuresOf({ testResults }: VitestResults): string[] {
  return testResults.flatMap(({ status, message, assertionResults }) => {
    const failed = assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => `${fullName}\n${beginning(failureMessages.join("\n"))}`);
    return failed.length === 0 && status === "failed" ? [beginning(message)] : failed;
  });
}

/** Whole, a message may hold a screen or the stack of each cause. */
function beginning(message: string): string {
  return message.split("\n").slice(0, 20).join("\n");
}

function read(file: string): VitestResults | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestResults;
  } catch {
    return undefined;
  }
}
