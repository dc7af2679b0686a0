import { type Browser, chromium } from "playwright-core";
import { findChromium } from "./find.ts";

/**
 * Starts a browser that shows no window.
 *
 * @param say Hears what is installed for it.
 * @throws When there is no Chromium, with the command that installs one.
 */
export async function launch(say: (line: string) => void): Promise<Browser> {
  const executablePath = await findChromium(say);
  // As root Chromium has no sandbox. It opens no page but ours. Without hinting, letters are as wide everywhere.
  const args = ["--font-render-hinting=none", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return chromium.launch({ executablePath, args });
}

/**
 * As `launch`, for a test: without a browser it says what to install, and the test is skipped. In CI that is an error.
 */
export async function launchForTest(): Promise<Browser | undefined> {
  try {
    return await launch(console.log);
  } catch (error) {
    if (process.env.CI === "true" || process.env.CHROMIUM) throw error;
    console.log(`Skipped: ${(error as Error).message}`);
    return undefined;
  }
}
