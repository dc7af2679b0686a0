import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";
import { readersEnvironment } from "stage";
import { expect, onTestFinished, vi } from "vitest";
import { main } from "../src/main.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const program = fileURLToPath(new URL("programs/exercise.ts", import.meta.url));

/**
 * Makes a folder like this repository with two of its exercises, work-queues-1 and topics-1, and nothing done in it yet.
 *
 * @returns The folder, which is deleted after the test.
 */
export function newRepository(): string {
  const root = mkdtempSync(join(tmpdir(), "exercise-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const name of ["README.md", "node_modules", "tools", "tsconfig.json"])
    symlinkSync(join(repository, name), join(root, name));
  for (const pattern of ["topics", "work-queues"])
    cpSync(join(repository, "examples", pattern), join(root, "examples", pattern), {
      recursive: true,
      filter: (path) => !/\b(node_modules|built|results)$/.test(path),
    });
  mkdirSync(join(root, "exercises"));
  symlinkSync(join(repository, "exercises/node_modules"), join(root, "exercises/node_modules"));
  for (const name of ["package.json", "topics-1", "work-queues-1"])
    cpSync(join(repository, "exercises", name), join(root, "exercises", name), { recursive: true });
  return root;
}

/** Somebody who works in such a folder. */
export function newLearner(root = newRepository()) {
  const copy = (path: string) => join(root, "exercises/mine", path);
  return {
    root,
    read: (path: string) => readFileSync(copy(path), "utf8"),

    /** Replaces a piece of a file in the learner's copies. */
    edit(path: string, find: string | RegExp, replace: string) {
      const content = readFileSync(copy(path), "utf8");
      expect(content).toMatch(find);
      writeFileSync(copy(path), content.replace(find, replace));
    },

    /** The same as many editors do it: a new file takes the old one's name. */
    editByRenaming(path: string, find: string, replace: string) {
      const content = readFileSync(copy(path), "utf8");
      expect(content).toContain(find);
      writeFileSync(copy(`${path}.new`), content.replace(find, replace));
      renameSync(copy(`${path}.new`), copy(path));
    },

    /** Runs `pnpm exercise` without a terminal, to its end. */
    async run(...words: string[]) {
      let [stdout, stderr] = ["", ""];
      const print = (line: string) => {
        stdout += `${line}\n`;
      };
      const spies = [
        vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
          stdout += chunk;
          return true;
        }),
        vi.spyOn(console, "log").mockImplementation(print),
        // What cac prints its help with.
        vi.spyOn(console, "info").mockImplementation(print),
        vi.spyOn(process.stderr, "write").mockReturnValue(true),
        vi.spyOn(console, "error").mockImplementation((line) => {
          stderr += `${line}\n`;
        }),
      ];
      try {
        const code = await main([process.execPath, program, ...words], root);
        return { code, stdout, stderr };
      } finally {
        for (const spy of spies) spy.mockRestore();
      }
    },

    /** Starts `pnpm exercise` in a pseudo-terminal. */
    sitDown(...words: string[]) {
      const glass = new xterm.Terminal({ cols: 100, rows: 50, scrollback: 0, allowProposedApi: true });
      const quoted = [process.execPath, "--import", "tsx", program, root, ...words].map(
        (word) => `'${word}'`,
      );
      const command = `stty cols 100 rows 50; exec ${quoted.join(" ")}`;
      // script(1) has other arguments on macOS.
      const args =
        process.platform === "darwin"
          ? ["-q", "/dev/null", "sh", "-c", command]
          : ["-q", "-e", "-c", command, "/dev/null"];
      const child = spawn("script", args, {
        env: readersEnvironment({ SHELL: "/bin/sh" }),
        stdio: ["pipe", "pipe", "inherit"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      child.stdout.on("data", (bytes: Buffer) => glass.write(bytes));
      const ended = once(child, "exit").then(([code]) => code);
      const visible = async () => {
        await new Promise<void>((resolve) => glass.write("", resolve));
        const { active } = glass.buffer;
        return Array.from({ length: active.length }, (_, row) =>
          active.getLine(row)?.translateToString(true).trimEnd(),
        ).join("\n");
      };
      return {
        visible,
        press: (keys: string) => void child.stdin.write(keys),
        shows: (what: RegExp) => expect.poll(visible).toMatch(what),
        hides: (what: RegExp) => expect.poll(visible).not.toMatch(what),
        signal: (signal: NodeJS.Signals) => void child.kill(signal),
        ended,
      };
    },
  };
}
