import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBroker } from "broker";
import { flag, progress, readCommandLine, UsageError, whole } from "cli";
import { launch } from "../browser/launch.ts";
import { asLines, fromLines, record, recordingOf } from "./record.ts";
import { film, RATE } from "./studio.ts";
import { writeWebp } from "./webp.ts";

/**
 * The command line of `pnpm live film`: makes docs/film/<pattern>.webp of a recorded run.
 *
 * @param args `--record` plays the scenario anew; without it that is done if there is no recording.
 * @param root The repository's root.
 * @returns The exit code.
 */
export async function filmMain(args: string[], root: string): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
  const { pattern, scenario } = options;
  const { say, end } = progress();
  try {
    const path = recordingOf(root, pattern);
    if (options.record || !existsSync(path)) {
      const broker = await startBroker({ say });
      try {
        await writeFile(path, asLines(await record(root, pattern, scenario, broker)));
      } finally {
        await broker.stop();
      }
    }
    const browser = await launch(say);
    const frames = await film(browser, pattern, fromLines(await readFile(path, "utf8"))).finally(() =>
      browser.close(),
    );
    const output = join(root, "docs/film", `${pattern}.webp`);
    await mkdir(join(root, "docs/film"), { recursive: true });
    await writeWebp(frames, 1000 / RATE, output, say);
    const hash = createHash("sha256").update(Buffer.concat(frames)).digest("hex").slice(0, 16);
    const { size } = await stat(output);
    end();
    console.log(
      `docs/film/${pattern}.webp: ${frames.length} frames (${hash}), ${Math.round(size / 1000)} kB`,
    );
    return 0;
  } catch (error) {
    end();
    console.error((error as Error).message);
    return 1;
  }
}

function parse(args: string[]) {
  return readCommandLine(
    args,
    {
      name: "pnpm live film",
      words: "<pattern>",
      about: "Makes docs/film/<pattern>.webp of a recorded run, and records one if there is none.",
      options: {
        record: flag("Plays the scenario anew"),
        scenario: whole("Which of the page's scenarios, by default the first", { from: 1 }),
      },
    },
    ({ record, scenario = 1 }, [pattern, ...more]) => {
      if (pattern === undefined) throw new UsageError("Which pattern?");
      if (more.length > 0) throw new UsageError("One pattern at a time.");
      return { pattern, scenario: scenario - 1, record };
    },
  );
}
