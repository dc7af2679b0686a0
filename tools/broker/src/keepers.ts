import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that cleans up after this one, whatever becomes of this one. */
export interface Keeper {
  process: ChildProcess;
  /** Tells it to do something, and resolves when that is done. Rejects when it has ended. */
  tell(command: "start" | "kill"): Promise<void>;
  /** Has it clean up, and resolves when it has. */
  stop(): Promise<void>;
}

/**
 * Starts a keeper: a script beside this one that cleans up as soon as its IPC channel closes. The kernel closes it
 * when this process ends, even by SIGKILL.
 *
 * @param script Its file's name.
 * @param task What it is to keep, as JSON.
 */
export function startKeeper(script: string, task: unknown): Keeper {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const keeper = spawn(process.execPath, [path, JSON.stringify(task)], {
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
