import { createInterface } from "node:readline";

/** Tells `pnpm bench`, whose worker this process is: see tools/bench/src/engine/worker.ts. */
export const report = (event: "ready" | "done", figures: Record<string, string | number> = {}): void =>
  console.log(JSON.stringify({ event, ...figures }));

/** Resolves when `pnpm bench` says so, or has gone. */
export const told = (): Promise<void> =>
  new Promise((resolve) => {
    createInterface({ input: process.stdin })
      .once("line", () => resolve())
      .once("close", () => resolve());
  });
