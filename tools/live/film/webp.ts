import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../browser/find.ts";
import { aptCommand, installPackages } from "../browser/packages.ts";

/** ms that the last frame stays, before the film begins again. */
const PAUSE = 2500;

/**
 * Makes a film of frames.
 *
 * @param frames PNG.
 * @param duration Of a frame, in ms.
 * @param output A WebP file, which is replaced.
 * @param say Hears what is installed for it.
 * @throws When there is no img2webp, with the command that installs it.
 */
export async function writeWebp(
  frames: Buffer[],
  duration: number,
  output: string,
  say: (line: string) => void,
): Promise<void> {
  const program = await findImg2webp(say);
  const folder = await mkdtemp(join(tmpdir(), "film-"));
  try {
    const files = frames.map((_, index) => join(folder, `${String(index).padStart(4, "0")}.png`));
    for (const [index, file] of files.entries()) await writeFile(file, frames[index] ?? "");
    const last = files.pop();
    const words = [
      "-loop",
      "0",
      "-lossy",
      "-q",
      "60",
      "-m",
      "6",
      "-d",
      String(Math.round(duration)),
      ...files,
    ];
    if (last) words.push("-d", String(PAUSE), last);
    const child = spawn(program, [...words, "-o", output], { stdio: ["ignore", "ignore", "pipe"] });
    let trouble = "";
    child.stderr.on("data", (text) => {
      trouble += text;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`img2webp failed: ${trouble.trim()}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function findImg2webp(say: (line: string) => void): Promise<string> {
  const found = await findProgram(["img2webp"]);
  if (found) return found;
  const reason = await installPackages(["webp"], say).catch((error: Error) => error.message);
  const installed = await findProgram(["img2webp"]);
  if (installed) return installed;
  throw new Error(
    `There is no img2webp, and it can't be installed: ${reason}. Install it: ${aptCommand(["webp"])}`,
  );
}
