import { type StdioOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import type { StartOptions } from "./options.ts";

/** How to become root for the installation. */
type InstallWay = "as root" | "sudo without asking" | "ask, then sudo";

/**
 * Says whether and how RabbitMQ may be installed: by root and in CI without a question, else after one.
 *
 * @param machine What matters of it; `osRelease` is the content of /etc/os-release.
 * @throws When it may not, with the reason.
 */
export function installWay(machine: {
  osRelease: string;
  uid: number | undefined;
  ci: boolean;
  sudo: boolean;
  terminal: boolean;
}): InstallWay {
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(machine.osRelease))
    throw new Error("this is neither Debian nor Ubuntu");
  if (machine.uid === 0) return "as root";
  if (!machine.sudo) throw new Error("you are not root, and there is no sudo");
  if (machine.ci) return "sudo without asking";
  if (!machine.terminal) throw new Error("you are not root, and there is no terminal to ask you in");
  return "ask, then sudo";
}

/**
 * Says whether and how RabbitMQ may be installed on this machine.
 *
 * @throws When it may not, with the reason.
 */
export function findInstallWay(): InstallWay {
  return installWay({
    osRelease: existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "",
    uid: process.getuid?.(),
    ci: process.env.CI === "true",
    sudo: existsSync("/usr/bin/sudo"),
    terminal: Boolean(process.stdin.isTTY && process.stderr.isTTY),
  });
}

/**
 * Installs the distribution's rabbitmq-server without starting it or its service. Takes about half a minute.
 *
 * @param options `say` hears that it begins; `signal` gives up, which takes until dpkg has finished what it began.
 * @throws When the user declines, or apt-get fails, with its last lines; or with the signal's reason.
 */
export async function install({ say = () => {}, signal }: StartOptions): Promise<void> {
  const way = findInstallWay();
  if (way === "ask, then sudo") await ask(signal);
  say("Installing rabbitmq-server with apt-get, about 30 s …");

  const script = fileURLToPath(new URL("./install.sh", import.meta.url));
  const command = ["sh", script];
  if (way === "sudo without asking") command.unshift("sudo", "-n");
  if (way === "ask, then sudo") {
    // Here, since apt runs out of reach of the terminal, where sudo would ask for the password.
    if (spawnSync("sudo", ["-v"], { stdio: "inherit" }).status !== 0) throw new Error("sudo refused");
    command.unshift("sudo");
  }
  const stdio: StdioOptions = ["pipe", "pipe", "pipe"];
  // Out of reach of Ctrl-C, but for sudo, which knows its user by the terminal.
  const child = spawn(command[0] as string, command.slice(1), { stdio, detached: way !== "ask, then sudo" });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text) => (output = `${output}${text}`.slice(-2000)));
  const stop = () => {
    say("Waiting for apt-get to leave nothing half-installed …");
    child.stdin?.end();
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const [code] = await once(child, "close");
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`apt-get failed: ${output.trim().split("\n").slice(-3).join(" ")}`);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function ask(signal: AbortSignal | undefined): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = "RabbitMQ is not installed. Install it now with sudo apt-get? [Y/n] ";
    const answer = await terminal.question(question, signal ? { signal } : {});
    if (!/^(y|yes|)$/i.test(answer.trim())) throw new Error("you said no");
  } finally {
    terminal.close();
  }
}
