// What a script tells its user to type.
import { relative, sep } from "node:path";

/**
 * Makes the command that runs a script.
 *
 * @param line The script's name and its arguments: `sub "kern.*"`.
 * @returns What its user types: `node dist/sub.js "kern.*"`.
 */
export function command(line: string): string {
  const file = relative(process.cwd(), process.argv[1] ?? "").replaceAll(sep, "/");
  return line.replace(/^\S+/, `node ${file}`);
}

/** How to get a broker. */
export const startBroker = "Start one with `docker compose up -d --wait`, or set AMQP_URL to yours.";
