// Keeps what must not outlive the process that asked for it: programs, a folder, a Docker container. Starts the programs,
// kills one when told so, and takes all of it down as soon as that process is gone, for whatever reason.
//
// It runs apart from that process, out of reach of the terminal's Ctrl-C, and learns of its end by their IPC
// channel, which the kernel closes even after a SIGKILL. Plain JavaScript, so that it starts in 40 ms.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** @typedef {import("./keeper.ts").Keepsake} Keepsake */
/** @typedef {import("./keeper.ts").Program} Program */

/** @type {Keepsake} */
const { folder, files = {}, programs = [], env = {}, container } = JSON.parse(process.argv[2] ?? "");

/** @type {Map<Program, import("node:child_process").ChildProcess>} */
const running = new Map();
/** Those that were expected to end, and have. @type {Set<Program>} */
const done = new Set();
let ending = false;

process.on("disconnect", end);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
process.on("message", async (command) => {
  if (command === "start") await start();
  if (command === "kill") await kill(programs.at(-1));
  tell({ done: command });
});
// Whatever goes wrong here, nothing is left behind.
process.on("uncaughtException", end);

if (folder !== undefined && process.connected) {
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
// The event is not repeated for those who come late: loading this file takes longer than to kill a process.
if (!process.connected) await end();

async function start() {
  for (const program of programs) {
    if (running.has(program) || done.has(program)) continue;
    if (ending) return;
    const child = run(program);
    const { until } = program;
    if (until === "exit") await new Promise((resolve) => child.once("close", resolve));
    else if (until !== undefined)
      while (running.has(program) && !(await listens(until))) await setTimeout(10);
    // Why has been told.
    if (until !== undefined && !running.has(program) && !done.has(program)) return;
  }
}

/** @param {Program} program */
function run(program) {
  const { command, args, until } = program;
  const log = openSync(join(folder ?? "", "output.log"), "a", 0o600);
  // A process group of its own, so that whatever it starts dies with it.
  const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", log, log], detached: true });
  running.set(program, child);
  const gone = (/** @type {unknown} */ why) => {
    if (!running.delete(program) || ending) return;
    if (until === "exit" && why === "exit code 0") done.add(program);
    else tell({ exited: `${basename(command)} ended (${why})`, log: readLog() });
  };
  child.on("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
  child.on("error", (error) => gone(error.message));
  return child;
}

/** @param {Program | undefined} program */
async function kill(program) {
  const child = program && running.get(program);
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
  for (const program of programs.toReversed()) await kill(program);
  if (container !== undefined) await removeContainer(container);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  process.exit();
}

/** @param {NonNullable<Keepsake["container"]>} container */
async function removeContainer({ engine, name, network }) {
  // With its anonymous volume. The engine may be creating it at this moment.
  const path = `/containers/${name}?force=1&v=1`;
  for (let attempt = 0; attempt < 10 && (await remove(engine, path)) === 404; attempt++)
    await setTimeout(100);
  // Refused as long as another container is in it, whose keeper then does it.
  if (network !== undefined) await remove(engine, `/networks/${network}`);
}

/**
 * @param {import("./docker.ts").Engine} engine
 * @param {string} path What Docker's API removes.
 */
async function remove(engine, path) {
  const removal = request({ ...engine, method: "DELETE", path }).end();
  try {
    const [response] = await once(removal, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  } catch {
    // No engine any more, so no container either.
    return undefined;
  }
}

function readLog() {
  return readFileSync(join(folder ?? "", "output.log"), "utf8");
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
