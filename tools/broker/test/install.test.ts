import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { installWay } from "../src/install.ts";
import { until } from "./processes.ts";

const debian = 'NAME="Debian GNU/Linux"\nID=debian\n';
const user = { osRelease: debian, uid: 1000, ci: false, sudo: true, terminal: true };

describe("whether and how it may be installed", () => {
  test.each([
    ["as root", { ...user, uid: 0 }],
    ["as root", { ...user, uid: 0, sudo: false, terminal: false }],
    ["sudo without asking", { ...user, ci: true, terminal: false }],
    ["ask, then sudo", user],
    ["ask, then sudo", { ...user, osRelease: "ID=ubuntu\nID_LIKE=debian\n" }],
    ["ask, then sudo", { ...user, osRelease: 'ID=linuxmint\nID_LIKE="ubuntu debian"\n' }],
  ] as const)("%s: %j", (way, machine) => {
    expect(installWay(machine)).toBe(way);
  });

  test.each([
    ["neither Debian nor Ubuntu", { ...user, osRelease: 'ID="fedora"\n' }],
    ["neither Debian nor Ubuntu", { ...user, osRelease: "", uid: 501 }],
    ["no sudo", { ...user, sudo: false, ci: true }],
    ["no terminal", { ...user, terminal: false }],
  ])("refused, %s: %j", (reason, machine) => {
    expect(() => installWay(machine)).toThrow(reason);
  });
});

// With an apt-get of our own, which waits at each step until the test lets it go on, and asks the policy as a
// package's script would.
describe.skipIf(process.platform !== "linux")("install.sh", () => {
  let folder: string;
  let policy: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "install-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    policy = join(folder, "policy-rc.d");
    mkdirSync(join(folder, "bin"));
    program(
      "apt-get",
      `case "$*" in
         update*|*" update"*) step=update ;;
         *--download-only*) step=download ;;
         *) step=install ;;
       esac
       echo "$step $$" >>${folder}/steps
       if [ $step = install ]; then
         for service in rabbitmq-server epmd.service other; do
           answer=0
           if [ -x ${policy} ]; then ${policy} $service start || answer=$?; fi
           echo "$service $answer" >>${folder}/answers
         done
       fi
       until [ -e ${folder}/go-$step ]; do sleep 0.02; done
       exit $(cat ${folder}/go-$step)`,
    );
    program("systemctl", `echo "$*" >>${folder}/systemctl`);
  });

  const program = (name: string, body: string) => {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  };
  const lines = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1) : [];
  const go = (step: string, exitCode = 0) => writeFileSync(join(folder, `go-${step}`), String(exitCode));
  const reached = (step: string) => until(() => lines("steps").some((line) => line.startsWith(step)));
  const policies = () => readdirSync(folder).filter((name) => name.startsWith("policy"));
  const existing = "#!/bin/sh\nexit 104\n";

  function run(): ChildProcess {
    const script = fileURLToPath(new URL("../src/install.sh", import.meta.url));
    const env = { PATH: `${join(folder, "bin")}:${process.env.PATH}`, POLICY_RC_D: policy };
    const child = spawn("sh", [script], { env, stdio: ["pipe", "ignore", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  test("installs, with its services denied meanwhile and disabled after, and leaves no policy", async () => {
    const child = run();
    for (const step of ["download", "install"]) go(step);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(lines("answers")).toEqual(["rabbitmq-server 101", "epmd.service 101", "other 0"]);
    expect(lines("systemctl")).toEqual(["--quiet disable rabbitmq-server"]);
    expect(policies()).toEqual([]);
  });

  test("asks the policy that is there for all else, and puts it back", async () => {
    writeFileSync(policy, existing, { mode: 0o755 });
    const child = run();
    for (const step of ["download", "install"]) go(step);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(lines("answers")).toEqual(["rabbitmq-server 101", "epmd.service 101", "other 104"]);
    expect(policies()).toEqual(["policy-rc.d"]);
    expect(readFileSync(policy, "utf8")).toBe(existing);
  });

  test("fetches the lists of packages only where the download fails without", async () => {
    const child = run();
    go("download", 100);
    go("update", 100);
    expect(await once(child, "exit")).toEqual([100, null]);
    expect(lines("steps").map((line) => line.split(" ")[0])).toEqual(["download", "update"]);
  });

  test("puts the policy back when the installation fails, and says so", async () => {
    writeFileSync(policy, existing, { mode: 0o755 });
    const child = run();
    go("download");
    go("install", 100);
    expect(await once(child, "exit")).toEqual([100, null]);
    expect(readFileSync(policy, "utf8")).toBe(existing);
    expect(lines("systemctl")).toEqual([]);
  });

  test("gives up a download when nobody waits any more", async () => {
    const child = run();
    await reached("download");
    child.stdin?.end();
    expect((await once(child, "exit"))[0]).toBeGreaterThan(0);
    expect(lines("steps")).toHaveLength(1);
    expect(() => process.kill(Number(lines("steps")[0]?.split(" ")[1]), 0)).toThrow("ESRCH");
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "finishes what dpkg began, even after %s",
    async (signal) => {
      writeFileSync(policy, existing, { mode: 0o755 });
      const child = run();
      go("download");
      await reached("install");
      child.stdin?.end();
      child.kill(signal);
      expect(readFileSync(policy, "utf8")).not.toBe(existing);
      go("install");
      expect(await once(child, "exit")).toEqual([0, null]);
      expect(readFileSync(policy, "utf8")).toBe(existing);
    },
  );

  test("leaves a policy that does no harm when it is killed, and mends that the next time", async () => {
    writeFileSync(policy, existing, { mode: 0o755 });
    const killed = run();
    go("download");
    await reached("install");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    go("install");
    const ask = spawn(policy, ["rabbitmq-server", "start"], { stdio: "ignore" });
    expect(await once(ask, "exit")).toEqual([104, null]);

    expect(await once(run(), "exit")).toEqual([0, null]);
    expect(policies()).toEqual(["policy-rc.d"]);
    expect(readFileSync(policy, "utf8")).toBe(existing);
  });
});
