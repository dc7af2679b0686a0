import { exitInWords, openProgram, type Terminal as Running, readersEnvironment } from "stage";
import type { LiveEvent, Terminal } from "../protocol.ts";
import { Refused } from "../refused.ts";
import { commandOf, scriptsOf } from "./commands.ts";
import { LineLimit } from "./line-limit.ts";
import type { TerminalWires } from "./wires.ts";

/** How many programs may run at once. */
const MOST = 16;

interface Program {
  terminal: Terminal;
  running: Running;
  wires: TerminalWires;
  isPressed: boolean;
}

/** The programs of a pattern: those that a scenario has opened, and those that the learner runs. */
export class Programs {
  readonly #say: (event: LiveEvent) => void;
  readonly #programs = new Map<string, Program>();
  readonly #limits = new Map<string, LineLimit>();

  constructor(say: (event: LiveEvent) => void) {
    this.#say = say;
  }

  /**
   * Makes sure that one more may run.
   *
   * @throws {Refused} When there are too many.
   */
  expectRoom(): void {
    const running = [...this.#programs.values()].filter(({ running }) => !running.ended).length;
    if (running >= MOST) throw new Refused(409, `${MOST} programs run already. End one of them first.`);
  }

  /** Tells of a program that has just been opened. */
  opened(terminal: Terminal, running: Running, wires: TerminalWires): void {
    const { id } = terminal;
    const program: Program = { terminal, running, wires, isPressed: false };
    this.#programs.set(id, program);
    this.#say({ type: "terminal", terminal });
    void running.exit.then((exit) => {
      this.#limits.get(id)?.flush();
      this.#limits.delete(id);
      const ok = exit.code === 0 || (program.isPressed && exit.signal === "SIGINT");
      this.#say({ type: "ended", terminal: id, ok, how: exitInWords(exit) });
    });
  }

  /**
   * Whose a connection is that calls itself by the name of a script, as those of `shared` do.
   *
   * @param terminal Whose wire it came by: it is theirs, unless they run another script than that.
   */
  owner(terminal: string, script: string): string {
    const own = this.#programs.get(terminal)?.terminal.script;
    if (own === undefined || own === script) return terminal;
    const others = [...this.#programs.values()].filter(
      (each) => each.terminal.script === script && !each.running.ended,
    );
    return others.at(-1)?.terminal.id ?? terminal;
  }

  line(terminal: string, text: string): void {
    const limit =
      this.#limits.get(terminal) ?? new LineLimit((text) => this.#say({ type: "line", terminal, text }));
    this.#limits.set(terminal, limit);
    limit.line(text);
  }

  typed(terminal: string, text: string): void {
    this.#say({ type: "typed", terminal, text });
  }

  pressed(terminal: string, key: string): void {
    const program = this.#programs.get(terminal);
    if (program) program.isPressed = true;
    this.#say({ type: "pressed", terminal, key });
  }

  /**
   * Runs a script of a package with the learner's own arguments. No shell sees them.
   *
   * @param folder The package's folder.
   * @throws {Refused} When there is no such script.
   */
  run(
    folder: string,
    name: string,
    id: string,
    script: string,
    words: string[],
    env: NodeJS.ProcessEnv,
    wires: TerminalWires,
  ) {
    const args = scriptsOf(folder).get(script);
    if (!args) throw new Refused(404, `There is no script "${script}".`);
    const running = openProgram(process.execPath, [...args, ...words], {
      cwd: folder,
      // As pnpm does: a script's usage is printed with them.
      env: readersEnvironment({ ...env, npm_package_name: name, npm_lifecycle_event: script }),
      onLine: (line) => this.line(id, line),
    });
    this.opened({ id, script, ...commandOf(name, script, words), stays: false }, running, wires);
  }

  type(terminal: string, text: string): void {
    this.#running(terminal).running.type(text);
    this.typed(terminal, text);
  }

  press(terminal: string, key: "^C" | "^\\"): void {
    const program = this.#running(terminal);
    this.pressed(terminal, key);
    program.running.press(key);
  }

  kill(terminal: string): void {
    this.#running(terminal).running.kill();
  }

  /** @throws {Refused} When it doesn't run. */
  wiresOf(terminal: string): TerminalWires {
    return this.#running(terminal).wires;
  }

  /** Ends all, and takes their wires away. */
  async close(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    await Promise.all(
      programs.map(async ({ running, wires }) => {
        await running.close();
        await wires.close();
      }),
    );
  }

  #running(terminal: string): Program {
    const program = this.#programs.get(terminal);
    if (!program || program.running.ended) throw new Refused(409, "That program has ended.");
    return program;
  }
}
