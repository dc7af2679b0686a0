import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stage-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A README with that text. */
export function readmeFile(...lines: string[]): string {
  const path = join(temporaryFolder(), "README.md");
  writeFileSync(path, lines.join("\n"));
  return path;
}

/** Resolves when the process that listens at a socket has ended: the system then closes its end. */
export async function death(socket: string): Promise<() => Promise<void>> {
  const connection = connect(socket);
  await once(connection, "connect");
  const closed = new Promise<void>((resolve) => {
    connection.on("error", () => {}).on("close", () => resolve());
  });
  return () => closed;
}
