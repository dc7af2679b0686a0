import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exchange } from "./topology.ts";

/**
 * What two users may do: regular expressions for the names of what they may configure (declare, delete), write to and
 * read from. To bind a queue is to write to the queue and to read from the exchange.
 */
export const permissions = {
  publisher: { configure: "^$", write: `^${exchange}$`, read: "^$" },
  subscriber: { configure: "^amq\\.gen-", write: "^amq\\.gen-", read: `^(${exchange}$|amq\\.gen-)` },
};

/** Where `users` leaves the URLs with the users' passwords. Git ignores it. */
export const folder = fileURLToPath(new URL("../logins", import.meta.url));

/** The option of both scripts. */
export const loginOption = { as: { type: "string" } } as const;

/**
 * Finds the login that `--as` asks for.
 *
 * @param user One of those that `users` has made, or nobody: then AMQP_URL says who.
 * @param refuse Is told when there is no such login.
 * @returns Where to connect to, for `produce` and `consume`.
 */
export function login(user: string | undefined, refuse: (reason: string) => never): { url?: string } {
  if (user === undefined) return {};
  const file = join(folder, user);
  if (!(user in permissions) || !existsSync(file))
    refuse("--as takes publisher or subscriber, while the script users runs.");
  return { url: readFileSync(file, "utf8") };
}
