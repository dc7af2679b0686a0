import type { ConfirmChannel } from "amqplib";
import type { Broker, VirtualHost } from "broker";
import type { Wire } from "wire";
import type { Program } from "./program.ts";

/** An exercise: an example with something missing or wrong, and a check that tells when it is right. */
export interface Exercise {
  /** The example's folder in examples/. The names of its scripts in package.json are those that `run` takes. */
  from: string;
  /** What the learner changes, one or two files of the example: `src/sub.ts`. */
  files: string[];
  /** Makes what the learner starts with of the example. */
  given: Edit[];
  /** Makes the solution of the example. Without it, the example is the solution. */
  solution?: Edit[];
  /**
   * Tries the programs on a real broker.
   *
   * @throws `Miss` with what went wrong. Any other error is a mistake in the check.
   */
  check(check: Check): Promise<void>;
  /** Part of what a learner is told who has changed nothing. */
  says: RegExp;
  /** Three answers that somebody might give. */
  wrong: [WrongAnswer, WrongAnswer, WrongAnswer];
}

/** Replaces a piece of a file, which must occur in it exactly once. */
export interface Edit {
  /** From the example's folder: `src/sub.ts`. */
  file: string;
  find: string;
  replace: string;
}

export interface WrongAnswer {
  /** Why it is wrong. */
  why: string;
  edits: Edit[];
  /** What the edits change. */
  on: "given" | "solution";
  /** Part of what the learner is told. */
  says: RegExp;
}

/** What a check has to try the programs with. It all ends with the check. */
export interface Check {
  /** Starts one of the example's scripts, as the learner has changed it. */
  run(script: string, ...args: string[]): Program;
  /** Starts it elsewhere, or with more variables. */
  runWith(options: RunOptions, script: string, ...args: string[]): Program;
  /** amqplib's, with confirms, in the check's virtual host. */
  channel: ConfirmChannel;
  /** Of the check's virtual host. */
  amqpUrl: string;
  /** Nothing else uses it. */
  virtualHost: VirtualHost;
  /** The one that all checks share. */
  broker: Broker;
  /** The answer's folder, from which the programs run. */
  folder: string;
  /** Opens a wire to a broker, which the check can hold, cut and unplug. */
  wireTo(amqpUrl: string): Promise<Wire>;
  /**
   * Waits until a condition on the broker holds.
   *
   * @throws `Miss` with `otherwise`, when it doesn't come to hold.
   */
  until(condition: () => boolean | Promise<boolean>, otherwise: string, patience?: Patience): Promise<void>;
}

/** What differs when a script is run. */
export interface RunOptions {
  /** The broker and the login. By default the check's virtual host. */
  amqpUrl?: string;
  /** More variables for the script. */
  env?: NodeJS.ProcessEnv;
}

export interface Patience {
  /** ms. How long it may take. 3,000 by default: what is right takes a few milliseconds. */
  within?: number;
}

/** What the broker or a program did instead of what was expected, in one or two sentences for the learner. */
export class Miss extends Error {
  override readonly name = "Miss";
}

/**
 * Defines an exercise. The `exercise.ts` of its folder exports it by default.
 *
 * @param definition All of it but its texts, which stand beside it in task.md and hints.md.
 */
export const exercise = (definition: Exercise): Exercise => definition;
