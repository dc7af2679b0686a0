import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { managementApi } from "../src/management.ts";

test("a request doesn't depend on a connection that the broker may close", async () => {
  const used = new WeakSet<Socket>();
  const server = createServer(({ socket }, response) => {
    // As when the broker closes an idle connection while the next request is on its way.
    if (used.has(socket)) socket.destroy();
    used.add(socket);
    response.end('{"status":"ok"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const management = managementApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let request = 1; request <= 3; request++)
    expect(await management("PUT", "/vhosts/shop")).toEqual({ status: "ok" });
});
