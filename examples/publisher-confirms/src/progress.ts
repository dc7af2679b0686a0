/**
 * Shows, once a second, how far the work is: on a terminal only, and in one line that is overwritten.
 *
 * @param state What to show.
 * @returns Ends it and clears the line.
 */
export function showProgress(state: () => string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const startOfLine = "\r\x1b[K";
  const timer = setInterval(() => stderr.write(`${startOfLine} [.] ${state()}`), 1000);
  return () => {
    clearInterval(timer);
    stderr.write(startOfLine);
  };
}
