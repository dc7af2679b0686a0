import type { Result } from "../src/engine/results.ts";

export const environment = { cpu: "a processor", cores: 2, memory: 8, os: "an OS", versions: { Node: "20" } };

/** A result to read or to draw. */
export const result = (more: Partial<Result> = {}): Result => ({
  benchmark: "some",
  round: 1,
  way: "ours",
  settings: { size: 100 },
  measured: { rate: 1 },
  environment,
  at: "2026-01-01T00:00:00.000Z",
  ...more,
});
