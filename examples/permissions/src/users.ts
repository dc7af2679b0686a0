import { randomUUID } from "node:crypto";
import { consume, giveUp, usage } from "shared";
import { createUser, deleteUser, type User } from "./accounts.ts";
import { exchange } from "./topology.ts";

usage("users", "users");
const users: User[] = (["publisher", "subscriber"] as const).map((role) => {
  return { role, name: `${role}-${randomUUID().slice(0, 8)}`, password: randomUUID() };
});

await consume(async (channel) => {
  // The operator declares the exchange, because neither user may configure it.
  await channel.assertExchange(exchange, "topic");
  try {
    for (const user of users) await createUser(user);
  } catch (error) {
    await deleteUsers();
    throw error;
  }
  console.log(` [*] Created ${users.map(({ name }) => name).join(" and ")}. To delete them press CTRL+C`);
});
await deleteUsers().catch(giveUp);

async function deleteUsers() {
  for (const user of users) await deleteUser(user);
}
