import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { findInstallWay } from "broker";

/** The command with which a reader installs packages on Debian. */
export const aptCommand = (packages: string[]): string =>
  `sudo apt-get install --no-install-recommends ${packages.join(" ")}`;

/**
 * Installs packages of Debian, without asking: as root, or in CI by sudo.
 *
 * Ubuntu is left out, since its `chromium` only asks for a snap.
 *
 * @param say Hears what is installed, before it is.
 * @throws When that isn't possible here, with the reason in one line.
 */
export async function installPackages(packages: string[], say: (line: string) => void): Promise<void> {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(release)) throw new Error("this is not Debian");
  const way = findInstallWay();
  if (way === "ask, then sudo") throw new Error("you are not root");
  say(`Installing ${packages.join(" and ")} with apt-get, about 20 s …`);
  const apt = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60"];
  const root = way === "as root" ? [] : ["sudo", "-n"];
  // The lists may be missing, or too old to know where a package is.
  if (await run([...root, ...apt, "install", ...packages])) return;
  await run([...root, ...apt, "update"]);
  if (!(await run([...root, ...apt, "install", ...packages]))) throw new Error("apt-get failed");
}

async function run([command = "", ...words]: string[]): Promise<boolean> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(command, words, { stdio: "ignore", env });
  const [code] = await once(child, "close");
  return code === 0;
}
