/** ms */
const every = { terminal: 100, file: 5_000 };

/** Shows how far a run is: on a terminal in one line that is rewritten, elsewhere by a line every few seconds. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #label = "";
  #total = 0;
  #done = 0;
  #began = 0;
  #left: number | undefined;

  /** @param stream Where to. */
  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /**
   * Begins a run.
   *
   * @param label Which one it is.
   * @param total How much there is to do, in messages or calls.
   * @param left How long this run and those after it are going to take, in s, if that is known.
   */
  start(label: string, total: number, left?: number): void {
    this.stop();
    this.#label = label;
    this.#total = total;
    this.#done = 0;
    this.#began = performance.now();
    this.#left = left;
    this.#show();
    const { isTTY } = this.#stream;
    this.#timer = setInterval(() => this.#show(), isTTY ? every.terminal : every.file).unref();
  }

  /** @param done How much of the run is done by now. */
  update(done: number): void {
    this.#done = done;
  }

  /** Ends a run, and lets go of the line. */
  stop(): void {
    if (this.#timer !== undefined && this.#stream.isTTY) this.#stream.write("\r\x1b[K");
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #show(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    const parts = [this.#label];
    if (this.#done > 0)
      parts.push(
        `${whole(this.#done)} of ${whole(this.#total)}`,
        `${whole(this.#done / Math.max(seconds, 0.001))}/s`,
      );
    if (this.#left !== undefined) parts.push(`${inMinutes(Math.max(0, this.#left - seconds))} left`);
    const line = parts.join(" · ");
    if (this.#stream.isTTY) this.#stream.write(`\r${line.slice(0, this.#stream.columns - 1)}\x1b[K`);
    else this.#stream.write(`${line}\n`);
  }
}

/** "12,345" */
export const whole = (number: number): string => Math.round(number).toLocaleString("en");

/** "2 min 5 s" */
const inMinutes = (seconds: number) =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
