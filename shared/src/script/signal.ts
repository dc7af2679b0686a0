/**
 * Takes over Ctrl-C.
 *
 * @returns Resolves on the first SIGINT or SIGTERM, and when stdout closes, as in `receive | head -1`. A second signal
 *   ends the process at once, with exit code 130 or 143. It does not keep a process alive that has nothing else to do.
 */
export function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let waiting = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (waiting) process.exit(signal === "SIGINT" ? 130 : 143);
      waiting = true;
      resolve();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    void outputClosed.then(resolve);
  });
}

/**
 * Resolves when the program that reads a script's stdout has ended. Without a listener for that error, the script would
 * end with a stack. What it writes from then on is discarded.
 */
const outputClosed = new Promise<void>((resolve) => {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    resolve();
  });
});
