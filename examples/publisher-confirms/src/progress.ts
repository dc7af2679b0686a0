/**
 * Shows, once a second, how far the work is: on a terminal only, and in one line that is overwritten.
 *
 * @param state What to show.
 * @returns Ends it and clears the line.
 */
export function showProgress(state: () => string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const clear = "\x1b[K";
  // The cursor waits at the beginning of the line, so that whatever is printed next overwrites it.
  const timer = setInterval(() => stderr.write(`${clear} [.] ${state()}\r`), 1000);
  return () => {
    clearInterval(timer);
    stderr.write(clear);
  };
}
