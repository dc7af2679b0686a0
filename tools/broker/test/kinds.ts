import { findBroker } from "../src/index.ts";

/** The kinds of broker that this machine can start without installing anything. */
export const kinds = await Promise.all(
  (["native", "docker"] as const).map((kind) =>
    findBroker({ kind, private: true }).then(
      (found) => ({ kind, here: found.kind === kind }),
      () => ({ kind, here: false }),
    ),
  ),
);
