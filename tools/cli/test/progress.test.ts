import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { progress } from "../src/index.ts";

afterEach(() => vi.unstubAllEnvs());

/** What is written to a stream, and `progress` on it. */
function on(terminal: object) {
  const stream = Object.assign(new PassThrough(), terminal) as unknown as NodeJS.WriteStream;
  let written = "";
  stream.on("data", (bytes) => {
    written += bytes;
  });
  return { ...progress(stream), written: () => written };
}
const terminal = { isTTY: true, columns: 80, cursorTo() {}, moveCursor() {}, clearLine() {} };

test("writes plain lines where no terminal is", () => {
  const { say, end, written } = on({});
  say("Starting …");
  say("It runs.");
  end();
  expect(written()).toBe("Starting …\nIt runs.\n");
});

test.each([
  ["TERM", "dumb"],
  ["CI", "true"],
])("writes plain lines on a terminal where %s is %s", (name, value) => {
  vi.stubEnv(name, value);
  const { say, end, written } = on(terminal);
  say("Starting …");
  end();
  expect(written()).toBe("Starting …\n");
});

test("lets something turn on a terminal, until the next line, and leaves each line", () => {
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "xterm");
  const { say, end, written } = on(terminal);
  say("Starting …");
  expect(stripVTControlCharacters(written())).toMatch(/^\S Starting …$/);
  say("It runs.");
  say("Stopping …");
  end();
  expect(stripVTControlCharacters(written()).split("\n")).toEqual([
    expect.stringMatching(/^\S Starting …Starting …$/),
    "It runs.",
    expect.stringMatching(/^\S Stopping …Stopping …$/),
    "",
  ]);
  // The cursor is shown again.
  expect(written().lastIndexOf("\x1b[?25h")).toBeGreaterThan(written().lastIndexOf("\x1b[?25l"));
});

test("leaves signals to the command", () => {
  const listeners = () => process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
  const before = listeners();
  const { say, end } = on(terminal);
  say("Starting …");
  expect(listeners()).toBe(before);
  end();
});
