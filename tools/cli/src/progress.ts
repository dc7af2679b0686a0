import spinner, { type Spinner } from "yocto-spinner";

/**
 * Shows lines of progress. On a terminal something turns beside a line that ends with "…", until the next one comes.
 * Elsewhere it writes plain lines.
 *
 * @param stream Where to.
 * @returns `say` shows a line. `end` stops what turns: without it the process would not end.
 */
export function progress(stream: NodeJS.WriteStream = process.stderr): {
  say(line: string): void;
  end(): void;
} {
  let turning: Spinner | undefined;
  const end = () => {
    // The line stays.
    turning?.stop(turning.text);
    turning = undefined;
  };
  // A hidden cursor would outlive the process.
  process.once("exit", end);
  return {
    end,
    say(line) {
      end();
      if (!line.endsWith("…") || !isInteractive(stream)) {
        stream.write(`${line}\n`);
        return;
      }
      // What a signal does is the command's own concern.
      turning = spinner({ text: line, stream, handleSignals: false }).start();
    },
  };
}

/** As the library sees it, which elsewhere would write each line with a symbol before it. */
function isInteractive({ isTTY }: NodeJS.WriteStream): boolean {
  return isTTY && process.env.TERM !== "dumb" && process.env.CI === undefined;
}
