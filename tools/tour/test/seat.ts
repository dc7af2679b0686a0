import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import xterm from "@xterm/headless";
import { expect, onTestFinished, vi } from "vitest";
import { main, type Seat } from "../src/main.ts";

/** A terminal, and somebody who presses keys there. */
export function takeSeat({ columns = 80, rows = 24 } = {}) {
  const glass = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  const setRawMode = vi.fn();
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows, hasColors: () => false });
  // Where a program ends a line, a terminal's driver also goes back to its beginning.
  stdout.on("data", (bytes: Buffer) => glass.write(bytes.toString().replaceAll("\n", "\r\n")));

  /** All rows, what has scrolled away included, without empty ones at the end. */
  const all = async () => {
    await new Promise<void>((resolve) => glass.write("", resolve));
    const { active } = glass.buffer;
    const lines = Array.from({ length: active.length }, (_, row) => active.getLine(row));
    return lines
      .map((line) => line?.translateToString(true).trimEnd() ?? "")
      .join("\n")
      .trimEnd()
      .split("\n");
  };
  return {
    seat: { stdin, stdout } as unknown as Seat,
    setRawMode,
    press: (keys: string) => stdin.write(keys),
    all,
    /** The rows that can be seen. */
    visible: async () => (await all()).slice(glass.buffer.active.baseY),
    /** Waits until the prompt says what comes next. */
    asks: (next: string) =>
      expect
        .poll(async () => (await all()).slice(-6).join(" "))
        .toMatch(
          new RegExp(`Next: ${next.replace(/[$.*+?()[\]{}|^\\]/g, "\\$&")}.*(Enter goes on|step\\.$)`),
        ),
  };
}

/**
 * Writes a repository with a catalogue, and goes on tour there.
 *
 * @param pages The patterns' READMEs.
 * @param more Other files.
 * @returns The root, and `tour`, which resolves with the exit code.
 */
export function repository(pages: Record<string, string>, more: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), "tour-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const rows = Object.keys(pages).map((name) => `| [${name}](examples/${name}) | ${name} |\n`);
  const files = {
    "README.md": `## The patterns\n\n| **1. Basics** | All |\n${rows.join("")}`,
    ...Object.fromEntries(Object.entries(pages).map(([name, page]) => [`examples/${name}/README.md`, page])),
    ...more,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return { root, tour: (seat: Seat, ...args: string[]) => main(args, root, seat) };
}

/** A page's `##` section with one console block for each command. */
export const section = (heading: string, ...blocks: string[]): string =>
  `## ${heading}\n\n${blocks.map((block) => `\`\`\`console\n$ ${block}\n\`\`\`\n`).join("\n")}\n`;
