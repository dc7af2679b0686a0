import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { progress } from "cli";
import { startBroker } from "./find.ts";

/**
 * Runs a command with a broker: the one at AMQP_URL, or one that is started for it and stopped after it. The command
 * finds AMQP_URL, RABBITMQ_MANAGEMENT_URL and BROKER_IDENTITY in its environment. What is tried to get the broker
 * is shown on stderr.
 *
 * @param command The program.
 * @param args Its arguments.
 * @returns The command's exit code; 128 and the signal's number, as a shell has it, when a signal ended it or ended
 *   this before.
 * @throws When there is no broker, or the command can't be run.
 */
export async function withBroker(command: string, args: string[]): Promise<number> {
  const stopping = new AbortController();
  const { say, end } = progress();
  let forward = (_signal: NodeJS.Signals) => {};
  const onSignal = (signal: NodeJS.Signals) => {
    stopping.abort(signal);
    forward(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const broker = await startBroker({ say, signal: stopping.signal });
    try {
      stopping.signal.throwIfAborted();
      const child = spawn(command, args, {
        stdio: "inherit",
        env: {
          ...process.env,
          AMQP_URL: broker.amqpUrl,
          RABBITMQ_MANAGEMENT_URL: broker.managementUrl,
          BROKER_IDENTITY: broker.identity,
        },
        // There, commands of npm packages are .cmd files, which only a shell runs.
        shell: process.platform === "win32",
      });
      forward = (signal) => {
        // Ctrl-C in a terminal reaches the child by itself, and a second one would have it drop what it is doing.
        if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
      };
      const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      return code ?? exitCode(signal);
    } finally {
      await broker.stop();
    }
  } catch (error) {
    if (error === stopping.signal.reason && stopping.signal.aborted) return exitCode(stopping.signal.reason);
    throw error;
  } finally {
    end();
    for (const signal of signals) process.off(signal, onSignal);
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const exitCode = (signal: NodeJS.Signals | null): number =>
  signal === null ? 1 : 128 + constants.signals[signal];
