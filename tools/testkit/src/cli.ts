import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBroker, withBroker } from "broker";
import { flag, readCommandLine } from "cli";
import { readResults } from "./results.ts";

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
process.env.BROKER_IDENTITY = (await findBroker().catch(giveUp)).identity;
process.env.TURBO_TELEMETRY_DISABLED = "1";

const tasks = plannedTasks();
// What a crash would leave of an earlier run must not be counted.
for (const { directory } of tasks) rmSync(join(root, directory, "results"), { recursive: true, force: true });

const allCached = tasks.every(({ cache }) => cache.status === "HIT");
const code = allCached ? await turboAlone() : await withBroker(turbo, run).catch(giveUp);

const { passed, failed, skipped, failures, unstable } = count();
// The packages' output is long, and mixed: what needs a look is said again at the end.
for (const each of unstable) console.log(`\nUNSTABLE ${each}`);
for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(code || (failed > 0 ? 1 : 0));

/** Without a broker there is nothing to test with. The error says in words how to get one. */
function giveUp(error: Error): never {
  console.error(error.message);
  process.exit(1);
}

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

/** Adds up what Vitest wrote about each package. */
function count() {
  const sum = { passed: 0, failed: 0, skipped: 0, failures: [] as string[], unstable: [] as string[] };
  if (tasks.length === 0) sum.failures.push(`${packages.join(" ")}: it has no tests`);
  for (const { directory, package: name } of tasks) {
    const { passed, skipped, failures, unstable } = readResults(join(root, directory, "results/tests.json"));
    sum.failures.push(...failures.map((why) => `${name}: ${why}`));
    sum.unstable.push(...unstable.map((why) => `${name}: ${why}`));
    sum.passed += passed;
    sum.skipped += skipped;
  }
  sum.failed = sum.failures.length;
  return sum;
}
