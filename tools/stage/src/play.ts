import { difference, Follower } from "./lines.ts";
import type { Block, Key, Scenario } from "./readme.ts";
import { exitInWords, openTerminal, type Terminal } from "./terminal.ts";

export interface PlayOptions {
  /** The repository's root, where a reader would stand. */
  cwd: string;
  /** See `readersEnvironment`. The same for all blocks, or each block's own. */
  env: NodeJS.ProcessEnv | ((block: Block) => NodeJS.ProcessEnv);
  /** What the shell runs for a block. By default its command, as it is printed. */
  commandOf?: ((block: Block) => string) | undefined;
  /** Runs before a block's terminal opens: the time to wait for a viewer who plays step by step. */
  beforeOpen?: ((block: Block) => Promise<void>) | undefined;
  /** Hears what happens, as it happens. */
  on?: ((event: StageEvent) => void) | undefined;
  /** Runs when all has been printed, while the terminals are still open: the time to look at the broker. */
  beforeClose?: (() => Promise<void>) | undefined;
  /** How long the next line, or an end, may take, in ms. 40,000 by default: some pages start a broker, and wait for it. */
  patience?: number | undefined;
  /** Ends the play with all its terminals; the promise then rejects with its reason. */
  signal?: AbortSignal | undefined;
}

export type StageEvent =
  | { type: "narration"; block: Block; text: string }
  | { type: "opened"; block: Block; terminal: Terminal }
  | { type: "line"; block: Block; text: string }
  | { type: "typed"; block: Block; text: string }
  | { type: "pressed"; block: Block; key: Key }
  | { type: "exited"; block: Block };

/** How a block played. */
export interface Performance {
  block: Block;
  /** What its screen showed, without the command. */
  shown: string[];
  /** Where that differs from the block, or what else went wrong: lines to print. `undefined` when nothing did. */
  difference: string[] | undefined;
}

/**
 * The line with which a program says that it waits: ` [*] Waiting …` or ` [x] Awaiting …`. A service says it in its log,
 * in JSON: Fastify with "Server listening at …".
 */
export const READY: RegExp = /^ \[\*\] |^ \[x\] Awaiting |"msg":"(Waiting for|Server listening at) /;

/**
 * Plays a scenario's blocks from top to bottom.
 *
 * A terminal that prints a line of readiness stays open while the next ones play; any other runs to its end before
 * the next one opens, and so does one in which a key has been pressed. When all of them have printed their blocks,
 * those still open get Ctrl-C, the last one first: each may need what was opened before it. What they have printed by
 * their end is compared with their blocks, so a line too many counts, too. A play that can't go on as written ends there.
 *
 * @param scenario One of `readReadme`.
 * @returns How each block played that was opened.
 * @throws The reason of `signal`, or what `beforeOpen` or `beforeClose` threw. In any case no terminal is left open.
 */
export async function play(scenario: Scenario, options: PlayOptions): Promise<Performance[]> {
  const { on = () => {}, patience = 40_000, signal, beforeOpen, beforeClose } = options;
  const actors: Actor[] = [];
  try {
    let going = true;
    for (const block of scenario.blocks) {
      signal?.throwIfAborted();
      for (const text of block.narration) on({ type: "narration", block, text });
      await beforeOpen?.(block);
      signal?.throwIfAborted();
      actors.push(new Actor(block, options, on));
      // The new one first: what it does may be what ends another.
      for (const actor of actors.toReversed()) going &&= await actor.settled(patience, signal);
      if (!going) break;
    }
    if (going) {
      await Promise.all(actors.map((actor) => actor.finished(patience, signal)));
      await beforeClose?.();
      for (const actor of actors.toReversed()) await actor.leave(patience, signal);
    }
  } finally {
    await Promise.all(actors.map(({ terminal }) => terminal.close()));
  }
  return actors.map((actor) => actor.performance());
}

/** One block and its terminal. */
class Actor {
  readonly terminal: Terminal;
  readonly #block: Block;
  readonly #on: (event: StageEvent) => void;
  readonly #follower: Follower;
  readonly #shown: string[] = [];
  #ready = false;
  #pressed = false;
  #trailer = false;
  #taking = false;
  #trouble: string | undefined;

  constructor(block: Block, { cwd, env, commandOf }: PlayOptions, on: (event: StageEvent) => void) {
    this.#block = block;
    this.#on = on;
    this.#follower = new Follower(block.lines);
    this.terminal = openTerminal(commandOf?.(block) ?? block.command, {
      cwd,
      env: typeof env === "function" ? env(block) : env,
      onLine: (line) => this.#line(line),
      onChange: () => this.#change(),
    });
    on({ type: "opened", block, terminal: this.terminal });
    this.#takeTurns();
  }

  /** Waits until the next terminal may open. */
  async settled(patience: number, signal?: AbortSignal): Promise<boolean> {
    const { terminal } = this;
    const settled = await terminal.until(
      () => terminal.ended !== undefined || (this.#ready && !this.#pressed),
      patience,
      signal,
    );
    if (!settled) this.#trouble = `It neither ended nor got ready within ${patience / 1000} s.`;
    return settled;
  }

  /** Waits until it has printed its block, or can't any more. */
  async finished(patience: number, signal?: AbortSignal): Promise<void> {
    const { terminal } = this;
    const over = () => terminal.ended !== undefined || this.#follower.complete || this.#follower.hopeless;
    if (!(await terminal.until(over, patience, signal)))
      this.#trouble = `Lines were missing after ${patience / 1000} s.`;
  }

  /** Presses Ctrl-C in a terminal that is still open. */
  async leave(patience: number, signal?: AbortSignal): Promise<void> {
    const { terminal } = this;
    if (terminal.ended) {
      if (this.#ready && !this.#pressed)
        this.#trouble ??= `It ended before Ctrl-C, with ${exitInWords(terminal.ended)}.`;
      return;
    }
    terminal.press("^C");
    const left = await terminal.until(() => terminal.ended !== undefined, patience, signal);
    if (!left) {
      this.#trouble ??= `It did not end within ${patience / 1000} s of Ctrl-C.`;
      return;
    }
    const exit = await terminal.exit;
    // The key goes to the shell and to pnpm as well, which end by it whatever the script's own exit code is.
    if (exit.code !== 0 && exit.signal !== "SIGINT")
      this.#trouble ??= `After Ctrl-C it ended with ${exitInWords(exit)}.`;
  }

  performance(): Performance {
    const expected = this.#block.lines.map((line) => (line.kind === "typed" ? `> ${line.text}` : line.text));
    const lines = difference(expected, this.#shown);
    const trouble = this.#trouble === undefined ? [] : [this.#trouble];
    const wrong = lines !== undefined || trouble.length > 0;
    return {
      block: this.#block,
      shown: this.#shown,
      difference: wrong
        ? [`  $ ${this.#block.command}`, ...(lines ?? this.#shown.map((line) => `  ${line}`)), ...trouble]
        : undefined,
    };
  }

  #line(line: string): void {
    const text = withoutPrompt(line);
    if (text === "" && line !== "") return;
    // What is added below a script that failed is the same everywhere, and no part of any lesson: by pnpm, and by the
    // shell when pnpm has ended itself after a second Ctrl-C.
    this.#trailer ||=
      this.#block.command.startsWith("pnpm ") && /^(\[?\s?ELIFECYCLE\b|Terminated$)/.test(text);
    if (this.#trailer) return;
    this.#ready ||= READY.test(text);
    this.#shown.push(text);
    this.#follower.line(text);
    this.#on({ type: "line", block: this.#block, text });
    // At once, before the next line of the same packet is read.
    this.#takeTurns();
  }

  #change(): void {
    if (this.terminal.ended) {
      this.#on({ type: "exited", block: this.#block });
      return;
    }
    this.#follower.unfinished(withoutPrompt(this.terminal.unfinished));
    this.#takeTurns();
  }

  #takeTurns(): void {
    // Typing and pressing finish the line of a prompt, which comes back here as a line like others.
    if (this.#taking) return;
    this.#taking = true;
    const block = this.#block;
    for (let turn = this.#follower.turn; turn; turn = this.#follower.turn) {
      if (turn.kind === "typed") {
        this.terminal.type(turn.text);
        this.#shown.push(`> ${turn.text}`);
        this.#on({ type: "typed", block, text: turn.text });
      } else {
        this.#pressed = true;
        this.terminal.press(turn.text);
        this.#shown.push(turn.text);
        this.#on({ type: "pressed", block, key: turn.text });
      }
      this.#follower.took(turn);
    }
    this.#taking = false;
  }
}

/** A prompt is part of the line that is then typed: in a README, too, it is the `> ` of `> text`. */
const withoutPrompt = (line: string) => line.replace(/^(> )+/, "");
