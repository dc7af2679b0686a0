// Keeps a private Kafka: starts it, and takes it down with its data as soon as the process that asked for it is gone,
// for whatever reason. As tools/broker's keepers do for RabbitMQ.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @type {import("./index.ts").Keepsake} */
const { folder, files, commands, cleanUp, env } = JSON.parse(process.argv[2] ?? "");
const output = join(folder, "output.log");

/** @type {import("node:child_process").ChildProcess | undefined} */
let running;
let ending = false;

process.on("disconnect", end);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
process.on("message", start);
// Whatever goes wrong here, nothing is left behind.
process.on("uncaughtException", end);

// The event is not repeated for those who come late: loading this file takes longer than to kill a process.
if (!process.connected) process.exit();
mkdirSync(folder, { mode: 0o700 });
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);

/** Runs the commands one after another. The last one is the broker, which isn't expected to end. */
async function start() {
  for (const [file, ...args] of commands) {
    if (ending) return;
    const log = openSync(output, "a", 0o600);
    // A process group of its own, so that whatever it starts dies with it.
    const child = spawn(file ?? "", args, {
      cwd: folder,
      env,
      stdio: ["ignore", log, log],
      detached: true,
    });
    running = child;
    const why = await once(child, "exit").then(
      ([code, signal]) => signal ?? `exit code ${code}`,
      (error) => error.message,
    );
    running = undefined;
    if (why === "exit code 0") continue;
    tell(`${file} ended (${why})\n${readFileSync(output, "utf8").slice(-4_000)}`);
    return;
  }
}

function end() {
  if (ending) return;
  ending = true;
  const child = running;
  if (child?.pid === undefined) return remove();
  child.once("exit", remove);
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself a moment ago.
    remove();
  }
}

function remove() {
  const [file, ...args] = cleanUp;
  if (file !== undefined) spawnSync(file, args, { env, stdio: "ignore" });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  process.exit();
}

/** @param {string} exited */
function tell(exited) {
  // Who hears no more will not mind. Without the callback, the error would be thrown.
  if (process.connected) process.send?.({ exited }, () => {});
}
