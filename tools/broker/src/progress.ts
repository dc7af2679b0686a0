/**
 * Shows lines of progress to whoever waits. On a terminal a line that ends with "…" counts the seconds until the
 * next one comes, so that something moves.
 *
 * @param stream Where to.
 * @returns `say` for `startBroker`, and `end` to let go of the line that counts.
 */
export function progress(stream: NodeJS.WriteStream = process.stderr): {
  say(line: string): void;
  end(): void;
} {
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    if (timer !== undefined) stream.write("\n");
    clearInterval(timer);
    timer = undefined;
  };
  return {
    end,
    say(line) {
      end();
      if (!stream.isTTY || !line.endsWith("…")) {
        stream.write(`${line}\n`);
        return;
      }
      const began = performance.now();
      stream.write(line);
      timer = setInterval(() => {
        const seconds = Math.round((performance.now() - began) / 1000);
        stream.write(`\r${line} ${seconds} s`);
      }, 1000).unref();
    },
  };
}
