import { UsageError } from "cli";

/**
 * What `--docker` and `--native` ask for.
 *
 * @throws {UsageError} When both are given.
 */
export function readKind(docker: boolean, native: boolean): "docker" | "native" | undefined {
  if (docker && native) throw new UsageError("--docker or --native, not both");
  return docker ? "docker" : native ? "native" : undefined;
}
