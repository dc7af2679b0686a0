import { type Exit, exitInWords, READY, type Surroundings, Terminal } from "stage";
import { Miss, type Patience } from "./define.ts";

/** What a program needs to know of the check that runs it. */
export interface Watched extends Surroundings {
  /** The name of its script. */
  script: string;
  /** How many times as long as usual it may take. */
  patience: number;
  /** Hears what is waited for. */
  onWait: (what: string) => void;
}

/** ms. What is right takes a few milliseconds, once a program runs. */
const WITHIN = 3_000;
/** ms. To start a program, and to end one, takes longer on a busy machine. */
const WITHIN_START_OR_END = 8_000;

/** A running program of the learner, which tells what it did instead of what was expected. */
export class Program extends Terminal {
  readonly #watched: Watched;
  #left = false;

  constructor(args: string[], watched: Watched) {
    super(process.execPath, ["--enable-source-maps", ...args], watched);
    this.#watched = watched;
  }

  /**
   * Waits for its line of readiness.
   *
   * @throws `Miss` when it doesn't print one.
   */
  async ready(): Promise<void> {
    const { script } = this.#watched;
    await this.prints(READY, `${script} did not get ready.`, { within: WITHIN_START_OR_END });
  }

  /**
   * Waits until it has printed a line.
   *
   * @param expected The whole line, or a pattern that is found in it.
   * @param otherwise What it means for the learner that it doesn't come, in a sentence.
   * @param options `times`: how many such lines.
   * @returns All the lines that fit.
   * @throws `Miss` when it ends first, or the time is up: with `otherwise` and what it printed instead.
   */
  async prints(
    expected: string | RegExp,
    otherwise: string,
    { times = 1, within = WITHIN }: Patience & { times?: number } = {},
  ): Promise<string[]> {
    const found = () =>
      this.lines.filter((line) =>
        typeof expected === "string" ? line === expected : line.search(expected) >= 0,
      );
    const { script, patience, onWait } = this.#watched;
    onWait(`${script} to print ${expected}`);
    await this.until(() => found().length >= times || this.ended !== undefined, within * patience);
    if (found().length >= times) return found();
    throw new Miss(`${otherwise} ${this.#account()}`);
  }

  /**
   * Waits until it has ended.
   *
   * @param otherwise What it means for the learner that it still runs, in a sentence.
   * @returns How it ended.
   * @throws `Miss` when it still runs, or when it ended by itself with an error.
   */
  async ends(otherwise: string): Promise<Exit> {
    const { patience, onWait, script } = this.#watched;
    onWait(`${script} to end`);
    if (!(await this.until(() => this.ended !== undefined, WITHIN_START_OR_END * patience)))
      throw new Miss(`${otherwise} ${this.#account()}`);
    const exit = await this.exit;
    if (!this.#left && exit.code !== 0) throw new Miss(this.#account());
    return exit;
  }

  override press(...words: Parameters<Terminal["press"]>): void {
    this.#left = true;
    super.press(...words);
  }

  override terminate(): void {
    this.#left = true;
    super.terminate();
  }

  override kill(): void {
    this.#left = true;
    super.kill();
  }

  /** What it did, in one sentence. */
  #account(): string {
    const { script } = this.#watched;
    if (this.ended && !this.#left && this.ended.code !== 0)
      return `${script} ended with: ${lastWords(this.errors) ?? exitInWords(this.ended)}`;
    const ended = this.ended && !this.#left ? "It ended, and printed" : "It printed";
    const lines = this.lines.slice(-3).map((line) => short(line.trim()));
    if (lines.length === 0) return `${ended} nothing.`;
    return `${ended}${this.lines.length > lines.length ? " last" : ""}: ${lines.join(" · ")}`;
  }
}

/**
 * What a program that has failed says of it, in a line: an error that it threw, with its place in the learner's source,
 * or the first line of a refusal. The lines of its log don't count.
 */
function lastWords(errors: string[]): string | undefined {
  const thrown = errors.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b.*: /.test(line));
  if (!thrown) return errors.find((line) => /\S/.test(line) && !line.startsWith(" [!] "));
  const [, place] = /\bat .*?\b(src\/[\w./-]+:\d+):\d+\)?$/m.exec(errors.join("\n")) ?? [];
  return `${short(thrown)}${place ? ` (${place})` : ""}`;
}

const short = (line: string) => (line.length > 160 ? `${line.slice(0, 159)}…` : line);
