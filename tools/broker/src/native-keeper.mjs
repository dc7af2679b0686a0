// Keeps a private RabbitMQ node: starts it, kills it when told so, and takes it down with its epmd and its data as
// soon as the process that asked for it is gone, for whatever reason.
//
// It runs apart from that process, out of reach of the terminal's Ctrl-C, and learns of its end by their IPC
// channel, which the kernel closes even after a SIGKILL. Plain JavaScript, so that it starts in 40 ms.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** @type {import("./native.ts").Keepsake} */
const { folder, files, epmd, epmdPort, server, env } = JSON.parse(process.argv[2] ?? "");
const output = join(folder, "output.log");

/** @type {Map<string, import("node:child_process").ChildProcess>} */
const running = new Map();
let ending = false;

process.on("disconnect", end);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
process.on("message", async (command) => {
  if (command === "stop") return end();
  if (command === "start") await start();
  if (command === "kill") await kill("server");
  tell({ done: command });
});
// Whatever goes wrong here, nothing is left behind.
process.on("uncaughtException", end);

// The event is not repeated for those who come late: loading this file takes longer than to kill a process.
if (!process.connected) process.exit();
mkdirSync(folder, { mode: 0o700 });
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);

async function start() {
  if (epmd !== undefined && !running.has("epmd")) {
    run("epmd", epmd, ["-address", "127.0.0.1", "-port", String(epmdPort)]);
    while (running.has("epmd") && !(await listens(epmdPort))) await setTimeout(10);
  }
  const named = epmd === undefined || running.has("epmd");
  if (named && !running.has("server") && !ending) run("server", server, []);
}

/**
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 */
function run(name, command, args) {
  const log = openSync(output, "a", 0o600);
  // A process group of its own, so that the start script's helpers die with it.
  const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", log, log], detached: true });
  running.set(name, child);
  const gone = (/** @type {unknown} */ why) => {
    if (!running.delete(name) || ending) return;
    tell({ exited: `${name} ended (${why})`, log: readFileSync(output, "utf8") });
  };
  child.on("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
  child.on("error", (error) => gone(error.message));
}

/** @param {string} name */
async function kill(name) {
  const child = running.get(name);
  if (child?.pid === undefined) return;
  const exit = once(child, "exit");
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself a moment ago.
  }
  await exit;
}

async function end() {
  if (ending) return;
  ending = true;
  await kill("server");
  await kill("epmd");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  process.exit();
}

/** @param {object} message */
function tell(message) {
  // Who hears no more will not mind. Without the callback, the error would be thrown.
  if (process.connected) process.send?.(message, () => {});
}

/** @param {number} port */
async function listens(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
