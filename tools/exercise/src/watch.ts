import { unwatchFile, watchFile } from "node:fs";
import { join } from "node:path";
import type { Broker } from "broker";
import { type Keyboard, takeKeys } from "stage";
import { type Found, readHints } from "./catalogue.ts";
import { check } from "./check.ts";
import type { Exercise } from "./define.ts";
import type { Desk } from "./desk.ts";
import { sourcesOf } from "./files.ts";
import { LivePage } from "./live-page.ts";
import type { Screen } from "./screen.ts";
import { type Answer, exerciseLines, listLines } from "./view.ts";

export interface WatchOptions {
  /** The repository's folder. */
  root: string;
  broker: Broker;
  /** All of them, in their order. */
  exercises: Found[];
  /** The one to begin with. */
  exercise: Found;
  desk: Desk;
  screen: Screen;
  keyboard: Keyboard;
  /** Ends it, with all that it has started. */
  signal: AbortSignal;
}

/** ms. A look at each file that often is seen soon enough, and works on every file system and with every editor. */
const LOOK_EVERY = 150;

const KEYS = "h hint · l list · r begin again · s see it live · n next · q quit";

/**
 * Shows an exercise, checks the learner's copy whenever a file of it is saved, and goes on to the next when it passes.
 *
 * @returns When the learner ends it, or all are solved.
 * @throws The reason of the signal.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const session = new Session(options);
  const { signal, exercise } = options;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // It may come when nothing waits for it any more.
  aborted.catch(() => {});
  try {
    signal.throwIfAborted();
    await session.open(exercise);
    await Promise.race([session.ended, aborted]);
  } finally {
    await session.close();
  }
}

/** A learner at the terminal, and the exercise in front of them. */
class Session {
  /** Resolves when the learner has ended it. */
  readonly ended: Promise<void>;
  readonly #options: WatchOptions;
  readonly #giveKeysBack: () => void;
  readonly #giveScreenBack: () => void;
  #end: () => void = () => {};
  #fail: (reason: unknown) => void = () => {};

  #found: Found;
  #exercise: Exercise | undefined;
  #answer: Answer = { is: "being checked" };
  #hints: string[] = [];
  #hintsShown = 0;
  #remark = "";
  #view: "exercise" | "list" | "reset" = "exercise";
  #cursor = 0;

  #watched: string[] = [];
  #stopCheck = new AbortController();
  #checks: Promise<void> = Promise.resolve();
  #livePage: LivePage | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#found = options.exercise;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#giveKeysBack = takeKeys(options.keyboard, (key) => void this.#press(key).catch(this.#fail));
    this.#giveScreenBack = options.screen.onResize(() => this.#paint());
  }

  /** Shows an exercise, begins to watch the learner's copy, and checks it. */
  async open(found: Found): Promise<void> {
    const { desk } = this.#options;
    this.#leave();
    this.#found = found;
    this.#exercise = undefined;
    const exercise = await found.load();
    if (this.#found !== found) return;
    this.#exercise = exercise;
    this.#view = "exercise";
    this.#hints = readHints(found.folder);
    this.#hintsShown = 0;
    this.#remark =
      desk.begin(found, exercise) === "outdated"
        ? "The example has changed since you began. r begins again with it as it is now, and keeps what you wrote."
        : "";
    this.#watched = [...desk.read(found).keys()].map((file) => join(desk.folder(found), file));
    for (const file of this.#watched)
      watchFile(file, { interval: LOOK_EVERY }, ({ mtimeMs, size }, before) => {
        // 0: an editor has moved it away, and is about to put the new one in its place.
        if (mtimeMs > 0 && (mtimeMs !== before.mtimeMs || size !== before.size)) this.#check();
      });
    this.#check();
  }

  /** Ends all that it has started. */
  async close(): Promise<void> {
    this.#giveKeysBack();
    this.#giveScreenBack();
    this.#options.screen.print([""]);
    this.#leave();
    await Promise.all([this.#checks, this.#livePage?.close()]);
  }

  /** Stops what belongs to the exercise. */
  #leave(): void {
    for (const file of this.#watched) unwatchFile(file);
    this.#watched = [];
    this.#stopCheck.abort();
  }

  /** Checks the copy, and lets a check of what it was before go. */
  #check(): void {
    const [found, exercise] = [this.#found, this.#exercise];
    if (!exercise) return;
    this.#stopCheck.abort();
    this.#stopCheck = new AbortController();
    const { signal } = this.#stopCheck;
    this.#answer = { is: "being checked" };
    this.#paint();
    this.#checks = this.#checks.then(async () => {
      const answer = await this.#answerOf(found, exercise, signal);
      if (signal.aborted) return;
      this.#answer = answer;
      this.#paint();
    });
  }

  async #answerOf(found: Found, exercise: Exercise, signal: AbortSignal): Promise<Answer> {
    const { root, desk, broker } = this.#options;
    const began = performance.now();
    try {
      const verdict = await check(exercise, { root, folder: desk.folder(found), broker, signal });
      const seconds = (performance.now() - began) / 1000;
      if (!verdict.passed) return { is: "missed", miss: verdict.miss, seconds };
      desk.solve(found);
      const state = (name: "given" | "solution") => sourcesOf(root, exercise, name);
      return {
        is: "passed",
        seconds,
        yours: desk.read(found),
        ours: state("solution"),
        given: state("given"),
      };
    } catch (error) {
      return { is: "unchecked", why: (error as Error).message };
    }
  }

  async #press(key: string): Promise<void> {
    if (key === "q" || key === "ctrl-c" || key === "ctrl-d") return this.#end();
    if (!this.#exercise) return;
    if (this.#view === "list") return this.#pressInList(key);
    if (this.#view === "reset") return this.#pressInReset(key);
    this.#remark = "";
    if (key === "h") this.#hint();
    else if (key === "l") {
      this.#cursor = this.#options.exercises.indexOf(this.#found);
      this.#view = "list";
    } else if (key === "r") this.#view = "reset";
    else if (key === "s") await this.#seeLive();
    else if (key === "n") return this.open(this.#after());
    else if (key === "enter" && this.#answer.is === "passed") {
      const next = this.#nextUnsolved();
      return next ? this.open(next) : this.#end();
    } else if (key === "enter" && this.#answer.is !== "being checked") return this.#check();
    this.#paint();
  }

  async #pressInList(key: string): Promise<void> {
    const { exercises } = this.#options;
    const chosen = exercises[this.#cursor];
    if (key === "enter" && chosen) return this.open(chosen);
    if (key === "up" || key === "k") this.#cursor = Math.max(this.#cursor - 1, 0);
    else if (key === "down" || key === "j") this.#cursor = Math.min(this.#cursor + 1, exercises.length - 1);
    else if (key === "l" || key === "escape") this.#view = "exercise";
    this.#paint();
  }

  async #pressInReset(key: string): Promise<void> {
    this.#view = "exercise";
    if (key !== "y") return this.#paint();
    const found = this.#found;
    // Until it is open again, no other key counts.
    this.#exercise = undefined;
    this.#leave();
    await this.#checks;
    const kept = this.#options.desk.reset(found);
    await this.open(found);
    if (kept) this.#remark = `This is what it was at first. What you wrote is in ${kept}.`;
    this.#paint();
  }

  #hint(): void {
    if (this.#hintsShown === this.#hints.length) this.#remark = "There are no more hints.";
    else this.#hintsShown++;
  }

  async #seeLive(): Promise<void> {
    const { root, broker } = this.#options;
    const { from } = this.#found;
    if (this.#livePage?.pattern !== from) {
      this.#remark = "Starting the live page …";
      this.#paint();
      const before = this.#livePage;
      const page = new LivePage(root, broker, from);
      this.#livePage = page;
      await before?.close();
    }
    const page = this.#livePage as LivePage;
    const address = await page.address();
    if (page !== this.#livePage) return;
    if (!address) {
      // The next time it is tried again.
      this.#livePage = undefined;
      await page.close();
    }
    if (from !== this.#found.from) return;
    this.#remark = address
      ? `See ${from} live, as the example has it: ${address}`
      : `The live page did not start. To see why: pnpm live ${from}`;
  }

  #after(): Found {
    const { exercises } = this.#options;
    return exercises[(exercises.indexOf(this.#found) + 1) % exercises.length] as Found;
  }

  #nextUnsolved(): Found | undefined {
    const { exercises, desk } = this.#options;
    const here = exercises.indexOf(this.#found);
    return [...exercises.slice(here + 1), ...exercises.slice(0, here)].find((found) => !desk.isSolved(found));
  }

  /** What the learner can do now, a line each. */
  #keys(): string[] {
    if (this.#view === "reset")
      return [`Begin ${this.#found.id} again? What you wrote is kept. y yes · any other key no`];
    if (this.#answer.is !== "passed") return [KEYS];
    const next = this.#nextUnsolved();
    return [next ? `Enter goes on to ${next.number} ${next.id}` : "Enter ends it: all are solved", KEYS];
  }

  #paint(): void {
    const { exercises, desk, screen } = this.#options;
    if (!this.#exercise) return;
    screen.paint(
      this.#view === "list"
        ? listLines(exercises, this.#cursor, desk, screen)
        : exerciseLines(
            {
              found: this.#found,
              files: this.#exercise.files,
              answer: this.#answer,
              hints: this.#hints.slice(0, this.#hintsShown),
              allHints: this.#hints.length,
              remark: this.#remark,
              keys: this.#keys(),
            },
            exercises,
            desk,
            screen,
          ),
    );
  }
}
