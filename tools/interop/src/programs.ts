import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exitInWords, openProgram, readersEnvironment, type Terminal } from "stage";
import type { Peer } from "./languages.ts";

const examples = fileURLToPath(new URL("../../../examples", import.meta.url));

/**
 * Starts one of our scripts as its own process, without pnpm or a shell in between.
 *
 * @param example Its package: "hello".
 * @param words Its name in package.json, then its arguments.
 * @param url The broker and the virtual host.
 */
export function startScript(example: string, [script = "", ...args]: string[], url: string): Terminal {
  const cwd = `${examples}/${example}`;
  const { scripts } = JSON.parse(readFileSync(`${cwd}/package.json`, "utf8"));
  const [program, ...words] = (scripts[script] ?? "").split(" ");
  if (program !== "node") throw new Error(`${example} has no script "${script}" that is run by node.`);
  const variables = { AMQP_URL: url, npm_package_name: example, npm_lifecycle_event: script };
  return openProgram(process.execPath, [...words, ...args], { cwd, env: readersEnvironment(variables) });
}

/**
 * Starts a peer.
 *
 * @param role One of those that contract.ts describes, and its argument.
 * @param urls The broker and the virtual hosts. Arguments would show a password to all users of this machine.
 */
export function startPeer(
  { command: [program = "", ...words] }: Peer,
  role: string[],
  urls: string[],
): Terminal {
  const env = readersEnvironment({ AMQP_URL: urls.join(" "), RUST_BACKTRACE: "0" });
  return openProgram(program, [...words, ...role], { cwd: process.cwd(), env });
}

/**
 * Waits for a program's end.
 *
 * @param within ms
 * @returns Why it did not end with exit code 0, in a line, or `undefined`.
 */
export async function failure(program: Terminal, within: number): Promise<string | undefined> {
  await program.until(() => program.ended !== undefined, within);
  const { ended, errors } = program;
  if (!ended) {
    await program.close();
    return `still ran after ${within / 1000} s`;
  }
  return ended.code === 0 ? undefined : `${exitInWords(ended)}: ${errors.join(" ").slice(-300)}`;
}
