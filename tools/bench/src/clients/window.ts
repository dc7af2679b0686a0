/** Bounds how many promises are pending at once: confirms, or writes that the socket has not taken yet. */
export class Window {
  readonly #size: number;
  #pending = 0;
  #failure: { reason: unknown } | undefined;
  #below = 0;
  #wake = () => {};

  /** @param size How many may be pending. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Whether the next one has to wait for `room`. */
  get full(): boolean {
    return this.#pending >= this.#size;
  }

  add(promise: Promise<unknown>): void {
    this.#pending++;
    promise.then(this.#settled, (reason: unknown) => {
      this.#failure ??= { reason };
      this.#settled();
    });
  }

  /**
   * Resolves when there is room for one more.
   *
   * @throws What the first of those that failed failed with.
   */
  room(): Promise<void> {
    return this.#until(this.#size);
  }

  /**
   * Resolves when none is pending.
   *
   * @throws What the first of those that failed failed with.
   */
  empty(): Promise<void> {
    return this.#until(1);
  }

  async #until(below: number): Promise<void> {
    if (this.#pending >= below)
      await new Promise<void>((resolve) => {
        this.#below = below;
        this.#wake = resolve;
      });
    if (this.#failure) throw this.#failure.reason;
  }

  readonly #settled = () => {
    this.#pending--;
    if (this.#pending < this.#below) {
      this.#below = 0;
      this.#wake();
    }
  };
}
