import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { aptCommand, installPackages } from "./packages.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];

const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ...["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((variable) => {
    const folder = process.env[variable];
    if (!folder) return [];
    return ["Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe"].map((path) =>
      join(folder, path),
    );
  }),
];

/**
 * Finds a browser of Chromium's kind: the one that CHROMIUM names, else one on this machine, else, on Debian, one that
 * is installed now.
 *
 * @param say Hears what is installed.
 * @returns Its program.
 * @throws When there is none, with the command that installs one.
 */
export async function findChromium(say: (line: string) => void): Promise<string> {
  const named = process.env.CHROMIUM;
  if (named) {
    if (await isProgram(named)) return named;
    throw new Error(`CHROMIUM is ${JSON.stringify(named)}, which is no program.`);
  }
  const found = (await findProgram(names)) ?? (await firstProgram(elsewhere));
  if (found) return found;
  const reason = await installPackages(["chromium"], say).catch((error: Error) => error.message);
  const installed = await findProgram(names);
  if (installed) return installed;
  throw new Error(
    `There is no Chromium, and none can be installed: ${reason}. Install one (${aptCommand(["chromium"])}), or name it: CHROMIUM=/path/to/chrome.`,
  );
}

/** @returns The first of these programs that is on the PATH. */
export function findProgram(programs: string[]): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return firstProgram(folders.flatMap((folder) => programs.map((program) => join(folder, program))));
}

async function firstProgram(paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await isProgram(path)) return path;
  return undefined;
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
