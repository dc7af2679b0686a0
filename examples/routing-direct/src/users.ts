import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ManagementError, managementApi } from "broker";
import { consume, usage } from "shared";
import { folder, permissions } from "./logins.ts";
import { declareLogs } from "./topology.ts";

const { words, refuse } = usage("users", "users");
if (words.length > 0) refuse("users takes no arguments.");

const management = managementApi(process.env.RABBITMQ_MANAGEMENT_URL || "http://localhost:15672");
const users: string[] = [];

async function makeUsers() {
  const url = new URL(process.env.AMQP_URL ?? "amqp://localhost");
  const vhost = url.pathname.slice(1) || "%2F";
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [role, may] of Object.entries(permissions)) {
    // A name that nobody else has, so that no other user's password is changed.
    Object.assign(url, { username: `${role}-${randomUUID().slice(0, 8)}`, password: randomUUID() });
    await management("PUT", `/users/${url.username}`, { password: url.password, tags: "" });
    users.push(url.username);
    await management("PUT", `/permissions/${vhost}/${url.username}`, may);
    writeFileSync(join(folder, role), url.href, { mode: 0o600 });
  }
}

try {
  await consume(async (channel) => {
    await declareLogs(channel);
    if (users.length === 0) await makeUsers();
    console.log(` [*] Made ${users.join(" and ")}. To delete them press CTRL+C`);
  });
  for (const user of users) await management("DELETE", `/users/${user}`);
} catch (error) {
  console.error((error as ManagementError).message);
  process.exitCode = 1;
}
rmSync(folder, { recursive: true, force: true });
