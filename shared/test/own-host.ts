import { test as base } from "testkit";

/**
 * testkit's `test` with a virtual host for one test, for cutting connections: in a shared one, those of the test before
 * may still be listed, and be cut instead.
 */
export const test = base.extend("ownHost", async ({ broker }, { onCleanup }) => {
  const virtualHost = await broker.createVirtualHost();
  onCleanup(() => virtualHost.delete());
  return virtualHost;
});
