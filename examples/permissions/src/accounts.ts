import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrokerError } from "shared";
import { permissions, type Role, topicPermissions } from "./topology.ts";

/** Holds one file for each role: the broker's URL with the user's name and password. Git ignores it. */
export const logins = fileURLToPath(new URL("../logins", import.meta.url));

export interface User {
  /** Decides what the user may do. */
  role: Role;
  /** No other user of the broker may have this name. That user would lose its password and its permissions. */
  name: string;
  password: string;
}

/**
 * Creates a user with the permissions of its role, and stores its login for `pub` and `sub`. A second call changes
 * nothing.
 *
 * @throws {BrokerError} When the management API can't be reached, or refuses it.
 */
export async function createUser({ role, name, password }: User): Promise<void> {
  // The nodes of a cluster have the same users, so the first one's URL is enough.
  const [node = ""] = (process.env.AMQP_URL ?? "amqp://localhost").split(/,\s*(?=amqps?:)/);
  const url = Object.assign(new URL(node), { username: name, password });
  const vhost = url.pathname.slice(1) || "%2F";
  await management("PUT", `/users/${name}`, { password, tags: "" });
  await management("PUT", `/permissions/${vhost}/${name}`, permissions[role]);
  await management("PUT", `/topic-permissions/${vhost}/${name}`, topicPermissions[role]);
  mkdirSync(logins, { recursive: true, mode: 0o700 });
  writeFileSync(join(logins, role), url.href, { mode: 0o600 });
}

/**
 * Deletes a user and its login. It is no error if they don't exist.
 *
 * @throws {BrokerError} When the management API can't be reached, or refuses it.
 */
export async function deleteUser({ role, name }: User): Promise<void> {
  rmSync(join(logins, role), { force: true });
  await management("DELETE", `/users/${name}`);
}

/**
 * Reads a user's login.
 *
 * @param role What was given as `--as`.
 * @param refuse Is called when there is no such login. It doesn't return.
 * @returns Where to connect, for `produce` and `consume`.
 */
export function login(role: string, refuse: (reason: string) => never): { url: string } {
  if (!Object.hasOwn(permissions, role)) refuse("--as takes publisher or subscriber.");
  try {
    return { url: readFileSync(join(logins, role), "utf8") };
  } catch {
    return refuse(`There is no ${role} yet. Start the script users, and leave it running.`);
  }
}

/** Sends a request to RabbitMQ's management API, which works from everywhere, unlike `rabbitmqctl`. */
async function management(method: "PUT" | "DELETE", path: string, body?: object): Promise<void> {
  const address = process.env.RABBITMQ_MANAGEMENT_URL || "http://localhost:15672";
  if (!/^https?:/.test(address) || !URL.canParse(address))
    throw new BrokerError("RABBITMQ_MANAGEMENT_URL is not a URL such as http://guest:guest@localhost:15672.");
  const { origin, pathname, username, password } = new URL(address);
  const user = decodeURIComponent(`${username || "guest"}:${password || "guest"}`);
  const authorization = `Basic ${Buffer.from(user).toString("base64")}`;
  const response = await fetch(`${origin}${pathname.replace(/\/$/, "")}/api${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(10_000),
  }).catch((cause) => {
    const help = "Enable the plugin rabbitmq_management, or set RABBITMQ_MANAGEMENT_URL to its address";
    throw new BrokerError(`No management API at ${origin}. ${help}.`, { cause });
  });
  const gone = method === "DELETE" && response.status === 404;
  if (!response.ok && !gone)
    throw new BrokerError(
      `${origin} refused ${method} ${path} (${response.status}). It takes an administrator.`,
    );
}
