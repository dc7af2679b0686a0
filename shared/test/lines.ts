import { expect } from "vitest";
import type { Log } from "../src/amqp/index.ts";

/** A log that keeps its lines. */
export function keptLog() {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const log: Log = { info: keep, warn: keep, error: keep };
  return {
    lines,
    log,
    /** Waits for a line. */
    said: (line: RegExp) =>
      expect.poll(() => lines.join("\n"), { timeout: 20_000, interval: 20 }).toMatch(line),
  };
}
