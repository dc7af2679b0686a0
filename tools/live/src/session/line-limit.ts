/** Lines that a program may print within `SPAN` ms. What is more is counted, and nobody could read it. */
const MOST = 50;
const SPAN = 100;

/** Keeps a program that prints without an end from filling the page. */
export class LineLimit {
  readonly #on: (line: string) => void;
  #printed = 0;
  #omitted = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param on Hears the lines that are shown. */
  constructor(on: (line: string) => void) {
    this.#on = on;
  }

  line(text: string): void {
    this.#timer ??= setTimeout(() => this.flush(), SPAN);
    if (this.#printed++ < MOST) this.#on(text);
    else this.#omitted++;
  }

  /** Tells how many lines were left out, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#omitted > 0) this.#on(`… ${this.#omitted} more lines`);
    this.#printed = 0;
    this.#omitted = 0;
  }
}
