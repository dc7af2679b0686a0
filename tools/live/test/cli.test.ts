import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { openProgram, readersEnvironment, type Terminal } from "stage";
import { expect, onTestFinished, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
/** ms; it may have to start a broker first */
const PATIENCE = { within: 60_000 };

function live(args: string[], env: NodeJS.ProcessEnv = {}): Terminal {
  const terminal = openProgram(process.execPath, ["--import", "tsx", "tools/live/src/cli.ts", ...args], {
    cwd: root,
    env: readersEnvironment(env),
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

test("--help shows the options", async () => {
  const terminal = live(["--help"]);
  expect(await terminal.exit).toMatchObject({ code: 0 });
  expect(terminal.lines[0]).toBe("Usage: pnpm live [pattern] [--watch] [--port N] [--open] [--help]");
});

test.each([[["--bogus"]], [["--port", "x"]], [["topics", "hello"]], [["topics", "--watch"]]])(
  "%j are wrong arguments",
  async (args) => {
    const terminal = live(args);
    expect(await terminal.exit).toMatchObject({ code: 2 });
    expect(terminal.errors.at(-1)).toMatch(/^Usage: /);
  },
);

test("serves a pattern, and ends by Ctrl-C with all that it has started", async () => {
  const terminal = live(["topics"]);
  const [line = ""] = await terminal.printed(/^http:\/\/127\.0\.0\.1:\d+\/topics\?token=/, PATIENCE);
  const entered = await fetch(line, { redirect: "manual" });
  expect(entered.status).toBe(303);
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const origin = new URL(line).origin;
  const headers = { cookie, origin, "content-type": "application/json" };
  const body = JSON.stringify({ do: "run", script: "sub", words: ["#"] });
  expect((await fetch(`${origin}/act`, { method: "POST", headers, body })).status).toBe(200);
  terminal.press("^C");
  expect(await terminal.exit).toEqual({ code: 0, signal: null });
});

test("says that the port is in use", async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const terminal = live(["--port", String(port)]);
  await terminal.printed(`Port ${port} is in use. Without --port a free one is taken.`, PATIENCE);
  expect(await terminal.exit).toMatchObject({ code: 1 });
});

test("says which patterns there are not", async () => {
  const terminal = live(["nothing"]);
  await terminal.printed(/^There is no pattern "nothing"/, PATIENCE);
  expect(await terminal.exit).toMatchObject({ code: 2 });
});
