// Removes a Docker container as soon as the process that asked for it is gone, for whatever reason. That process's
// end closes the IPC channel, even after a SIGKILL. Testcontainers' own reaper takes 10 s and another image.

import { once } from "node:events";
import { request } from "node:http";
import { setTimeout } from "node:timers/promises";

/** @type {import("./docker.ts").Removal} */
const { engine, container, network } = JSON.parse(process.argv[2] ?? "");

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => process.connected && process.disconnect());
// The event is not repeated for those who come late: loading this file takes longer than to kill a process.
if (process.connected) await once(process, "disconnect");
// The engine may be creating it at this moment.
// With its anonymous volume.
const removeContainer = () => remove(`/containers/${container}?force=1&v=1`);
for (let attempt = 0; attempt < 10 && (await removeContainer()) === 404; attempt++) await setTimeout(100);
// Refused as long as another container is in it, whose keeper then does it.
if (network !== undefined) await remove(`/networks/${network}`);

/** @param {string} path With what Docker's API removes. */
async function remove(path) {
  const removal = request({ ...engine, method: "DELETE", path }).end();
  try {
    const [response] = await once(removal, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  } catch {
    // No engine any more, so no container either.
    return undefined;
  }
}
