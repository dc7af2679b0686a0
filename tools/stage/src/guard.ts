import { type ChildProcess, spawn } from "node:child_process";

/**
 * Process groups outlive whoever started them. This shell holds their numbers, and ends those that are still open
 * when its standard input ends: that is when this process does, by whatever cause, SIGKILL included.
 */
const guardian = `
trap '' HUP INT QUIT TERM
groups=' '
while read -r what group; do
  case $what in
    opened) groups="$groups$group " ;;
    closed) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

let guard: ChildProcess["stdin"] | undefined;

/**
 * Has a process group ended when this process ends.
 *
 * @param group The number of the group: the process id of its leader.
 * @returns What to call when the group has ended by itself.
 */
export function watch(group: number): () => void {
  guard ??= startGuard();
  guard?.write(`opened ${group}\n`);
  return () => guard?.write(`closed ${group}\n`);
}

function startGuard(): ChildProcess["stdin"] {
  const shell = spawn("sh", ["-c", guardian], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  // Without it all works as well, until this process is killed.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  // Neither keeps this process from ending.
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return shell.stdin;
}
