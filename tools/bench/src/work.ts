import { createInterface } from "node:readline";

/** A worker's side of worker.ts: its options, its events, and the lines it is told. */
export const options = JSON.parse(process.argv[2] ?? "{}");

/** Prints an event. */
export const say = (event: "ready" | "progress" | "done", more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

const lines = createInterface({ input: process.stdin });
const line = new Promise<void>((resolve) => lines.once("line", () => resolve()));
// Whoever started this process is gone, or wants no more of it.
lines.on("close", () => process.exit());

/** Resolves when the line has come that says go, or stop. */
export const told = (): Promise<void> => line;

/** Now, in ms since 1970 with fractions: the same clock for all processes of this machine. */
export const now = (): number => performance.timeOrigin + performance.now();

/**
 * Says about every 100 ms how much is done.
 *
 * @param count How much that is.
 */
export function sayProgress(count: () => number): void {
  setInterval(() => say("progress", { count: count() }), 100).unref();
}
