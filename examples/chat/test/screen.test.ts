import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import xterm from "@xterm/headless";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Screen } from "../src/screen.ts";

const enter = "\r";
const up = "\x1b[A";
const down = "\x1b[B";
const left = "\x1b[D";
const ctrl = { c: "\x03", d: "\x04" };
const ctrlZ = "\x1a";

/** A screen in a terminal of 30 columns and 8 rows, and somebody who types there. */
function open() {
  const glass = new xterm.Terminal({ cols: 30, rows: 8, allowProposedApi: true });
  const setRawMode = vi.fn();
  const keyboard = Object.assign(new PassThrough(), { setRawMode });
  const output = Object.assign(new PassThrough(), { columns: 30, rows: 8 });
  // Where a program ends a line, a terminal's driver also goes back to its beginning.
  output.on("data", (bytes: Buffer) => glass.write(bytes.toString().replace(/\r?\n/g, "\r\n")));

  const screen = new Screen({ input: keyboard, output, terminal: true });
  onTestFinished(() => screen.close());
  const lines: string[] = [];
  const left = (async () => {
    for await (const line of screen.lines()) lines.push(line);
  })();

  const rows = async () => {
    await new Promise<void>((resolve) => glass.write("", resolve));
    const { active } = glass.buffer;
    return Array.from({ length: active.length }, (_, row) =>
      active.getLine(row)?.translateToString().trimEnd(),
    );
  };
  return {
    screen,
    /** What `lines` has given. */
    lines,
    /** Resolves when `lines` has ended. */
    left,
    type: (keys: string) => keyboard.write(keys),
    /** Switches the terminal between lines and single keys. */
    setRawMode,
    /** Waits until the terminal shows these rows and no more, what has scrolled away included. */
    shows: (...expected: string[]) =>
      expect
        .poll(async () => (await rows()).join("\n").trimEnd().split("\n"), { timeout: 5_000 })
        .toEqual(expected),
    /** The cursor's row and column, from 0. */
    cursor() {
      const { baseY, cursorY, cursorX } = glass.buffer.active;
      return [baseY + cursorY, cursorX];
    },
  };
}

describe("in a terminal", () => {
  test("what comes in goes above the prompt, and what is being typed stays", async () => {
    const { screen, type, shows, cursor, lines } = open();
    type("Hello");
    await shows("> Hello");
    await screen.print("Pierre: Hi");
    await shows("Pierre: Hi", "> Hello");
    expect(cursor()).toEqual([1, 7]);
    type(left + left);
    await screen.print("Pierre: Are you there?");
    type("!");
    await shows("Pierre: Hi", "Pierre: Are you there?", "> Hel!lo");
    expect(cursor()).toEqual([2, 6]);
    type(enter);
    await expect.poll(() => lines).toEqual(["Hel!lo"]);
    await shows("Pierre: Hi", "Pierre: Are you there?", "> Hel!lo", ">");
  });

  test("it does so when both take several rows, typed or pasted", async () => {
    for (const paste of [true, false]) {
      const { screen, type, shows, cursor } = open();
      const text = "This is more than goes into a row of thirty";
      for (const part of paste ? [text] : text) type(part);
      await shows("> This is more than goes into", "a row of thirty");
      await screen.print("Pierre: So is this, which he has just sent");
      await shows(
        "Pierre: So is this, which he h",
        "as just sent",
        "> This is more than goes into",
        "a row of thirty",
      );
      expect(cursor()).toEqual([3, 15]);
      await screen.print("Pierre: Bye");
      type(left.repeat(20));
      await screen.print("Pierre: Bye bye");
      type("!");
      await shows(
        "Pierre: So is this, which he h",
        "as just sent",
        "Pierre: Bye",
        "Pierre: Bye bye",
        "> This is more than goes !into",
        " a row of thirty",
      );
    }
  });

  test("it goes on when the screen is full", async () => {
    const { screen, type, shows } = open();
    const numbers = Array.from({ length: 20 }, (_, n) => `Pierre: ${n}`);
    type("This is more than goes into a row of thirty");
    for (const line of numbers) await screen.print(line);
    await shows(...numbers, "> This is more than goes into", "a row of thirty");
  });

  test("the arrow keys bring back what was typed", async () => {
    const { screen, type, shows, lines } = open();
    type(`one${enter}two${enter}`);
    type(up + up);
    await shows("> one", "> two", "> one");
    await screen.print("Pierre: Hi");
    type(down);
    await shows("> one", "> two", "Pierre: Hi", "> two");
    type(`!${enter}`);
    await expect.poll(() => lines).toEqual(["one", "two", "two!"]);
  });

  for (const [name, key] of Object.entries(ctrl))
    test(`Ctrl-${name.toUpperCase()} ends it, and takes the prompt away`, async () => {
      const { screen, type, shows, left } = open();
      type(`${name === "c" ? "half a line" : ""}${key}`);
      await left;
      await screen.print("Bye");
      await shows("Bye");
    });

  test("Ctrl-Z stops the whole job, and the prompt is back when it continues", async () => {
    // It would stop the tests, too.
    const kill = vi.spyOn(process, "kill").mockReturnValue(true);
    onTestFinished(() => kill.mockRestore());
    const { screen, type, shows, setRawMode } = open();
    type(`Hello${ctrlZ}`);
    await expect.poll(() => kill.mock.calls).toEqual([[0, "SIGTSTP"]]);
    expect(setRawMode).toHaveBeenLastCalledWith(false);
    await shows("");
    process.emit("SIGCONT");
    expect(setRawMode).toHaveBeenLastCalledWith(true);
    await shows("> Hello");
    await screen.print("Pierre: Hi");
    type("!");
    await shows("Pierre: Hi", "> Hello!");
  });

  test("close ends it, and lines can still be shown", async () => {
    const { screen, shows, left } = open();
    await shows(">");
    screen.close();
    await left;
    await screen.print("Bye");
    await shows("Bye");
  });
});

describe("without a terminal", () => {
  function pipe() {
    const input = new PassThrough();
    const output = new PassThrough({ encoding: "utf8" });
    return { input, output, screen: new Screen({ input, output, terminal: false }) };
  }

  test("there are lines, and nothing else", async () => {
    const { input, output, screen } = pipe();
    input.end("one\r\ntwo\n\nlast without an end");
    for await (const line of screen.lines()) await screen.print(line);
    await screen.print("Pierre: Hi");
    expect(output.read()).toBe("one\ntwo\n\nlast without an end\nPierre: Hi\n");
  });

  test("close ends it, whatever has been read already", async () => {
    const { input, screen } = pipe();
    input.write("one\ntwo\nthree\n");
    const lines: string[] = [];
    for await (const line of screen.lines()) {
      lines.push(line);
      screen.close();
    }
    expect(lines).toEqual(["one"]);
  });

  test("a line that can't be written is never said to be shown", async () => {
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error("closed")) });
    const shown = vi.fn();
    void new Screen({ input: new PassThrough(), output, terminal: false }).print("Pierre: Hi").then(shown);
    await once(output, "error");
    await setImmediate();
    expect(shown).not.toHaveBeenCalled();
  });

  test("a closed one asks for nothing", async () => {
    const { screen } = pipe();
    screen.close();
    expect(await screen.lines().next()).toEqual({ done: true, value: undefined });
  });
});
