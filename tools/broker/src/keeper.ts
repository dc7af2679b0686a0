import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Engine } from "./docker.ts";

/** What is taken down with the process that asked for it. */
export interface Keepsake {
  /** A folder that is made at first, and removed at last. The programs run in it and write to its `output.log`. */
  folder?: string | undefined;
  /** The files in it, by name. */
  files?: Record<string, string> | undefined;
  /** What `start` starts, one after the other. They need a folder. */
  programs?: Program[] | undefined;
  /** All that is in the programs' environment. */
  env?: Record<string, string> | undefined;
  /** A container that is removed at last. */
  container?: { engine: Engine; name: string; network?: string | undefined } | undefined;
}

export interface Program {
  command: string;
  args: string[];
  /** What the next one waits for: the end of this one with exit code 0, or that it listens on this port of 127.0.0.1. */
  until?: "exit" | number | undefined;
}

/** A process that cleans up after this one, whatever becomes of this one. */
export interface Keeper {
  /** It sends `{ exited, log }` when a program has ended that should not have: why, and what all have written. */
  process: ChildProcess;
  /**
   * `start` starts the programs that don't run, `kill` kills the last one with SIGKILL.
   *
   * @returns When that is done.
   * @throws When the keeper has ended.
   */
  tell(command: "start" | "kill"): Promise<void>;
  /** Has it clean up, and resolves when it has. */
  stop(): Promise<void>;
}

/**
 * Starts a keeper: a process that cleans up as soon as its IPC channel closes. The kernel closes it when this process
 * ends, even by SIGKILL.
 *
 * @param keepsake What it keeps.
 */
export function keep(keepsake: Keepsake): Keeper {
  const path = fileURLToPath(new URL("keeper.mjs", import.meta.url));
  const keeper = spawn(process.execPath, [path, JSON.stringify(keepsake)], {
    // A session of its own: neither Ctrl-C nor a closed terminal reaches it.
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    // Not this process's NODE_OPTIONS, which may name loaders and debuggers.
    env: { PATH: process.env.PATH },
  });
  const exit = once(keeper, "exit");

  return {
    process: keeper,
    async tell(command) {
      const done = new Promise<void>((resolve) => {
        const onMessage = (message: { done?: string }) => {
          if (message.done !== command) return;
          keeper.off("message", onMessage);
          resolve();
        };
        keeper.on("message", onMessage);
      });
      const ended = exit.then(() => Promise.reject(new Error("the broker has been stopped")));
      if (keeper.connected) keeper.send(command);
      await Promise.race([done, ended]);
    },
    async stop() {
      if (keeper.connected) keeper.disconnect();
      await exit;
    },
  };
}
