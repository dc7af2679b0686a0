import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { openProgram, openTerminal, readersEnvironment, type Terminal } from "../src/terminal.ts";
import { death, temporaryFolder } from "./helpers.ts";

afterEach(() => void vi.unstubAllEnvs());

const surroundings = { cwd: process.cwd(), env: process.env };

function opened(terminal: Terminal): Terminal {
  onTestFinished(() => terminal.close());
  return terminal;
}

const run = (script: string) => opened(openProgram(process.execPath, ["-e", script], surroundings));
const stay = "setInterval(() => {}, 1000);";

test("tells stderr from stdout, and how the program ended", async () => {
  const terminal = run(`console.log("out"); console.error("err"); process.exitCode = 3`);
  expect(await terminal.exit).toEqual({ code: 3, signal: null });
  expect(terminal.lines.toSorted()).toEqual(["err", "out"]);
  expect(terminal.errors).toEqual(["err"]);
});

test("a shell's two streams are one, in the order in which they were written", async () => {
  const command = `node -e 'for (let i = 0; i < 100; i++) { console.log(i); console.error(i) }'`;
  const terminal = opened(openTerminal(command, surroundings));
  await terminal.exit;
  expect(terminal.lines).toEqual(Array.from({ length: 200 }, (_, index) => String(index >> 1)));
});

test("a character that comes in two pieces is one", async () => {
  const terminal = run(
    `process.stdout.write(Buffer.from([0xe2, 0x82])); setImmediate(() => process.stdout.write(Buffer.from([0xac])))`,
  );
  await terminal.exit;
  expect(terminal.lines).toEqual(["€"]);
});

test("printed: waits for a line, for a pattern, for many of them", async () => {
  const terminal = run(`let i = 0; setInterval(() => console.log("line " + i++), 5)`);
  expect(await terminal.printed("line 1")).toEqual(["line 1"]);
  const lines = await terminal.printed(/^line \d$/, { times: 4 });
  expect(lines.slice(0, 4)).toEqual(["line 0", "line 1", "line 2", "line 3"]);
});

test("printed: sees a prompt, which has no end of line", async () => {
  const terminal = run(`process.stdout.write("Name?"); ${stay}`);
  await terminal.printed("Name?");
  expect(terminal.lines).toEqual(["Name?"]);
});

test("printed: says what came instead when the program ends first", async () => {
  const terminal = run(`console.log("something else"); process.exit(4)`);
  await expect(terminal.printed("this")).rejects.toThrow(
    /printed 0 of 1 times this and ended with exit code 4\. It printed:\n {2}something else/,
  );
});

test("printed: gives up after its time", async () => {
  const terminal = run(stay);
  await expect(terminal.printed("this", { within: 50 })).rejects.toThrow(
    /within 0\.05 s\. .*\n {2}\(nothing\)/,
  );
});

test("type: sends a line, and ends the line of the prompt", async () => {
  const terminal = opened(openTerminal("node test/programs/ask.mjs", surroundings));
  await terminal.printed("Name?");
  terminal.type("Ada");
  await terminal.printed("Hello Ada");
  await terminal.printed("> ");
  terminal.type("Grace");
  expect(await terminal.exit).toEqual({ code: 0, signal: null });
  expect(terminal.lines).toEqual(["Name?", "Hello Ada", "> ", "Hello Grace"]);
});

test("press: ^C asks the program to end, ^\\ and kill don't ask", async () => {
  const script = `process.on("SIGINT", () => { console.log("bye"); process.exit(5) }); console.log("up"); ${stay}`;
  const [asked, quit, killed] = [run(script), run(script), run(script)];
  for (const terminal of [asked, quit, killed]) await terminal.printed("up");
  asked.press("^C");
  quit.press("^\\");
  killed.kill();
  expect(await asked.exit).toEqual({ code: 5, signal: null });
  expect(await quit.exit).toEqual({ code: null, signal: "SIGQUIT" });
  expect(await killed.exit).toEqual({ code: null, signal: "SIGKILL" });
  expect([asked.lines, quit.lines, killed.lines]).toEqual([["up", "bye"], ["up"], ["up"]]);
});

test("a program that can't be started has ended, and says why", async () => {
  const terminal = opened(openProgram("no-such-program", [], surroundings));
  expect((await terminal.exit).code).not.toBe(0);
  expect(terminal.errors).toEqual([expect.stringContaining("ENOENT")]);
});

test("close: ends the program and all that it started", async () => {
  const SOCKET = join(temporaryFolder(), "socket");
  const terminal = opened(
    openTerminal("node test/programs/listener.mjs; true", {
      ...surroundings,
      env: { ...process.env, SOCKET },
    }),
  );
  await terminal.printed(" [*] Waiting");
  const dead = await death(SOCKET);
  await terminal.close();
  await dead();
});

test("what is open ends with this process, even if that is killed", async () => {
  const SOCKET = join(temporaryFolder(), "socket");
  const parent = spawn(process.execPath, ["--import", "tsx", "test/programs/parent.ts"], {
    env: { ...process.env, SOCKET, EXIT: "never" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(parent.stdout, "data");
  const dead = await death(SOCKET);
  parent.kill("SIGKILL");
  await dead();
});

test("a reader's environment has nothing of pnpm, turbo and Vitest, and no colours", () => {
  vi.stubEnv("npm_package_name", "stage");
  vi.stubEnv("FORCE_COLOR", "1");
  const env = readersEnvironment({ AMQP_URL: "amqp://here" });
  expect(Object.keys(env).filter((name) => /^(npm_|VITEST|FORCE_COLOR|NODE_ENV)/.test(name))).toEqual([]);
  expect(env).toMatchObject({ PATH: process.env.PATH, NO_COLOR: "1", AMQP_URL: "amqp://here" });
});

test.each([
  ["NODE_OPTIONS", "--inspect=0"],
  ["NODE_OPTIONS", "--trace-exit"],
  ["NODE_DEBUG", "module"],
  ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
  ["FORCE_COLOR", "1"],
  ["CLICOLOR_FORCE", "1"],
  ["DEBUG", "*"],
  ["npm_config_loglevel", "silly"],
  ["PNPM_CONFIG_LOGLEVEL", "debug"],
  ["pnpm_config_reporter", "ndjson"],
  ["SHELLOPTS", "xtrace"],
])("%s=%s changes nothing in what a reader's command prints", async (name, value) => {
  vi.stubEnv(name, value);
  const env = readersEnvironment({});
  expect(env).not.toHaveProperty(name);
  const terminal = opened(
    openTerminal("pnpm exec node -e 'console.log(7); process.exit()'", { cwd: process.cwd(), env }),
  );
  expect(await terminal.exit).toEqual({ code: 0, signal: null });
  expect(terminal.lines).toEqual(["7"]);
});

test("a reader's environment keeps the authority that Node is to trust", () => {
  vi.stubEnv("NODE_EXTRA_CA_CERTS", "/etc/our-authority.pem");
  expect(readersEnvironment({})).toMatchObject({ NODE_EXTRA_CA_CERTS: "/etc/our-authority.pem" });
});
