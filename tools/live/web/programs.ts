import type { Terminal, Topology } from "../src/protocol.ts";
import { cut, visible } from "./text.ts";

/** A program as it is shown: all runs of a script that ends by itself share one place. */
export interface Program {
  key: string;
  /** The terminal that runs it now. Of the learner, and of clients that the page doesn't know, none. */
  terminal: Terminal | undefined;
  kind: "publisher" | "consumer";
  ended: boolean;
  /** Differs from those of all other programs: `worker 2`, `sub "kern.*"`. */
  name: string;
}

/** Clients that the page doesn't know, as far as they receive. */
const RECEIVERS = "outside receivers";
/** Who a message is published by when it is no script of the pattern. */
const strangers: Record<string, string> = {
  you: "this page",
  outside: "another client",
  [RECEIVERS]: "another client",
};

/** The programs of a pattern: which ones there are, and what to call them. */
export class Programs {
  readonly #byKey = new Map<string, Program>();
  readonly #keys = new Map<string, string>();

  get all(): Program[] {
    return [...this.#byKey.values()];
  }

  clear(): void {
    this.#byKey.clear();
    this.#keys.clear();
  }

  /** @returns The program that runs in a new terminal, and those that have made room for it. */
  open(terminal: Terminal): { program: Program; replaced: Program[] } {
    const { id, script, block, stays } = terminal;
    const shared = block !== undefined && !stays;
    const key = shared ? `script ${script}` : id;
    this.#keys.set(id, key);
    // What the learner has run before, and has ended, makes room for the next run.
    const replaced = shared
      ? []
      : this.all.filter(
          ({ terminal: old, ended }) => ended && old?.script === script && old.block === undefined,
        );
    for (const program of replaced) this.#byKey.delete(program.key);
    const kind = stays ? "consumer" : "publisher";
    const program: Program = { key, terminal, kind, ended: false, name: script };
    this.#byKey.set(key, program);
    this.#number();
    return { program, replaced };
  }

  end(id: string): void {
    const program = this.find(id);
    if (program?.terminal?.id === id) program.ended = true;
  }

  /** A program that the learner runs shows only by consuming that it is a consumer. */
  consume({ consumers, queues, bindings }: Topology): void {
    for (const { terminal, queue } of consumers) {
      const program = this.find(terminal);
      if (!program?.terminal || program.terminal.block !== undefined) continue;
      const { exclusive = false } = queues.find(({ name }) => name === queue) ?? {};
      const isBound = bindings.some(({ exchange, to }) => exchange !== "" && to === queue);
      // An RPC client consumes its replies, from a queue that nothing is bound to, and is a publisher nevertheless.
      if (isBound || !exclusive) program.kind = "consumer";
    }
    this.#number();
  }

  /** @param id A terminal's, "you" or "outside". */
  find(id: string): Program | undefined {
    return this.#byKey.get(this.#keys.get(id) ?? id);
  }

  /**
   * As `find`; the learner and unknown clients get a program when they first do something.
   *
   * @param kind What it does there. Unknown clients that receive stand for themselves.
   */
  need(given: string, kind: Program["kind"] = "publisher"): Program {
    const id = given === "outside" && kind === "consumer" ? RECEIVERS : given;
    const known = this.find(id);
    if (known) return known;
    const program: Program = {
      key: id,
      terminal: undefined,
      kind: id === RECEIVERS ? "consumer" : "publisher",
      ended: false,
      name: strangers[id] ?? id,
    };
    this.#byKey.set(id, program);
    return program;
  }

  name(id: string): string {
    return this.find(id)?.name ?? strangers[id] ?? "a program";
  }

  /** Consumers that look alike get numbers. */
  #number(): void {
    const consumers = this.all.filter(({ kind }) => kind === "consumer");
    const base = ({ terminal }: Program) =>
      cut(visible(`${terminal?.script ?? ""} ${terminal?.words ?? ""}`.trim()), 40);
    for (const program of consumers) {
      const alike = consumers.filter((other) => base(other) === base(program));
      const number = alike.length > 1 ? ` ${alike.indexOf(program) + 1}` : "";
      program.name = base(program) + number;
    }
  }
}
