// What `npm start`, `npm test` and their like need on a machine that has only Node and npm: pnpm and the dependencies.
// Plain JavaScript on Node's own modules, because it runs before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const programs = {
  tour: "tools/tour/src/cli.ts",
  live: "tools/live/src/cli.ts",
  exercise: "tools/exercise/src/cli.ts",
  test: "tools/testkit/src/cli.ts",
};
const [command, ...words] = process.argv.slice(2);

const root = fileURLToPath(new URL("..", import.meta.url));
const { devEngines, engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const { version } = devEngines.packageManager;
// On Windows pnpm and npx are .cmd files, which only a shell runs.
const shell = process.platform === "win32";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19))
  stop(`Node ${engines.node} is needed, and this is ${process.versions.node}.`);

// tsx and Vite read these as parts of a URL, and PATH is cut at its delimiter.
const awkward = [..."#?%\t\r\n", delimiter].find((character) => root.includes(character));
if (awkward !== undefined)
  stop(
    `Some programs here do not run below a folder with ${JSON.stringify(awkward)} in its name. Move ${JSON.stringify(root)}.`,
  );

if (!hasPnpm()) {
  if (process.env.PNPM_BY_NPX) stop(`npx could not run pnpm@${version}.`);
  // The same once more, with the pnpm that npx fetches on the PATH.
  console.log(`Fetching pnpm@${version} ...`);
  const again = ["node", "tools/setup.mjs", command, ...words];
  process.exit(await run("npx", ["--yes", `--package=pnpm@${version}`, ...again], { PNPM_BY_NPX: "1" }));
}

const first = !existsSync(`${root}/node_modules`);
if (first) console.log("Installing the dependencies ...");
const install = ["install", "--frozen-lockfile", `--loglevel=${first ? "info" : "warn"}`];
if ((await run("pnpm", install)) !== 0) stop("The dependencies could not be installed.");

const hint = process.env.PNPM_BY_NPX ? { TOUR_PNPM_HINT: `npm install --global pnpm@${version}` } : {};
process.exit(await run("node", ["--import", "tsx", programs[command], ...words], hint));

function hasPnpm() {
  const { stdout } = spawnSync("pnpm", ["--version"], { cwd: root, encoding: "utf8", shell });
  return stdout?.split(".")[0] === version.split(".")[0];
}

async function run(program, args, env = {}) {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, shell, stdio: "inherit" });
  // Ctrl-C reaches the child too, and what it then cleans up is worth waiting for.
  const wait = () => {};
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", forward);
  const [code, signal] = await once(child, "exit");
  process.off("SIGINT", wait).off("SIGTERM", forward);
  if (signal === "SIGINT") process.exit(130);
  return code ?? 1;
}

function stop(reason) {
  console.error(reason);
  process.exit(1);
}
