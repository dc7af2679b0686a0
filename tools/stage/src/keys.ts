import { emitKeypressEvents, type Key } from "node:readline";

/** A terminal's input: `process.stdin` is one. */
export type Keyboard = NodeJS.ReadableStream & { setRawMode(on: boolean): unknown };

/**
 * Takes keys as they are pressed, not a line at a time. Ctrl-C then is a key like others, and sends no signal.
 *
 * @param keyboard The terminal.
 * @param press Hears each key: `h`, `H`, `enter`, `escape`, `left`, `ctrl-c`. The end of the input is `ctrl-d`.
 * @returns Gives the keyboard back, so that the terminal takes lines again. So does the end of this process.
 */
export function takeKeys(keyboard: Keyboard, press: (key: string) => void): () => void {
  const hear = (character: string | undefined, { name, ctrl }: Key) => {
    if (name === "return") press("enter");
    else if (ctrl && name) press(`ctrl-${name}`);
    else press(character && /^[!-~]$/.test(character) ? character : (name ?? character ?? ""));
  };
  const end = () => press("ctrl-d");
  const restore = () => void keyboard.setRawMode(false);

  emitKeypressEvents(keyboard);
  keyboard.on("keypress", hear).on("end", end);
  keyboard.setRawMode(true);
  keyboard.resume();
  process.on("exit", restore);
  return () => {
    process.off("exit", restore);
    keyboard.off("keypress", hear).off("end", end);
    keyboard.pause();
    restore();
  };
}
