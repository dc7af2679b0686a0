import { findBroker } from "../src/index.ts";

const { BROKER: wanted } = process.env;

/**
 * The kinds of broker that this machine can start without installing anything. Where BROKER asks for one of them, the
 * other is not tested: its tests are reported as skipped.
 */
export const kinds = await Promise.all(
  (["native", "docker"] as const).map((kind) =>
    findBroker({ kind, private: true }).then(
      (found) => ({ kind, here: found.kind === kind && (!wanted || wanted === kind) }),
      () => ({ kind, here: false }),
    ),
  ),
);
