import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { takeKeys } from "../src/index.ts";

function open() {
  const setRawMode = vi.fn();
  const keyboard = Object.assign(new PassThrough(), { setRawMode });
  const pressed: string[] = [];
  const close = takeKeys(keyboard, (key) => pressed.push(key));
  return { keyboard, setRawMode, pressed, close };
}

test("keys are heard by their names, one by one", async () => {
  const { keyboard, pressed } = open();
  keyboard.write("hH?1 \r\n\x03\x1b[D\x7f");
  await expect
    .poll(() => pressed)
    .toEqual(["h", "H", "?", "1", "space", "enter", "enter", "ctrl-c", "left", "backspace"]);
  keyboard.end();
  await expect.poll(() => pressed.at(-1)).toBe("ctrl-d");
});

test("the keyboard is given back, and nothing is heard any more", async () => {
  const { keyboard, setRawMode, pressed, close } = open();
  expect(setRawMode.mock.calls).toEqual([[true]]);
  close();
  expect(setRawMode.mock.calls).toEqual([[true], [false]]);
  keyboard.write("q");
  keyboard.resume();
  keyboard.end();
  await new Promise((resolve) => keyboard.once("end", resolve));
  expect(pressed).toEqual([]);
});
