import { type Broker, ManagementError } from "broker";
import { makeCatalogue, WATCH } from "../pages/catalogue.ts";
import type { Action, Answers, Catalogue } from "../protocol.ts";
import { Refused } from "../refused.ts";
import { Session } from "../session/session.ts";
import { EventLog } from "./event-log.ts";

/** What the pages show: one pattern for all of them. */
export class Live {
  readonly root: string;
  readonly catalogue: Catalogue;
  readonly log: EventLog;
  readonly #broker: Broker;
  #session: Session | undefined;
  /** Actions that must not overlap: two pages may each open a pattern. */
  #busy: Promise<unknown> = Promise.resolve();

  /**
   * @param root The repository's root.
   * @param broker Where everything is played.
   * @param watches Whether nothing is played: the page shows what happens in the virtual host of the broker's URL.
   */
  constructor(root: string, broker: Broker, watches = false) {
    this.root = root;
    this.#broker = broker;
    this.catalogue = makeCatalogue(root, broker, watches);
    this.log = new EventLog(() => this.#session?.world.feed.contents());
  }

  /** The pattern that is open. */
  get session(): Session | undefined {
    return this.#session;
  }

  get patterns(): string[] {
    return this.catalogue.groups.flatMap(({ patterns }) => patterns.map(({ name }) => name));
  }

  /**
   * Does what a learner asks for.
   *
   * @returns What the page gets as an answer.
   * @throws {Refused} When it can't be done.
   */
  async act(action: Action): Promise<Answers[keyof Answers] | Record<string, never>> {
    try {
      return await this.#act(action);
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      // The management API doesn't answer, or nobody does at the broker's port.
      if (error instanceof ManagementError || code === "ECONNREFUSED")
        throw new Refused(409, `The broker can't be reached: ${message || code}.`);
      throw error;
    }
  }

  async #act(action: Action): Promise<Answers[keyof Answers] | Record<string, never>> {
    switch (action.do) {
      case "open":
        return this.#inTurn(() => this.#open(action.pattern, action.anew ?? false));
      case "play":
        return this.#inTurn(async () => {
          const { over } = await this.#opened.play(action.scenario);
          void over;
        });
      case "stop":
        return this.#inTurn(() => this.#opened.stop());
      case "restart":
        if (!this.catalogue.canRestart) throw new Refused(409, "This broker isn't ours to restart.");
        return this.#inTurn(() => this.#opened.restart());
      case "run":
        return { terminal: await this.#opened.run(action.script, action.words) };
      case "preview":
        return this.#opened.preview(action.exchange, action.key, action.headers);
      case "describe":
        return this.#opened.describe(action.object);
      case "publish":
        await this.#opened.publish(action);
        return {};
      default:
        this.#actAtOnce(action);
        return {};
    }
  }

  /** Ends all programs. The pattern stays open. */
  async stop(): Promise<void> {
    await this.#inTurn(async () => this.#session?.stop());
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#session?.close();
      this.#session = undefined;
    });
  }

  #actAtOnce(
    action: Exclude<
      Action,
      { do: "open" | "play" | "stop" | "restart" | "run" | "preview" | "describe" | "publish" }
    >,
  ): void {
    const session = this.#opened;
    switch (action.do) {
      case "next":
        session.next(action.turn);
        break;
      case "speed":
        this.log.say({ type: "speed", factor: action.factor });
        break;
      case "stepping":
        session.step(action.messages);
        this.log.say({ type: "stepping", messages: action.messages });
        break;
      case "release":
        session.release(action.hold);
        break;
      case "type":
        session.type(action.terminal, action.text);
        break;
      case "press":
        session.press(action.terminal, action.key);
        break;
      case "kill":
        session.kill(action.terminal);
        break;
      case "cut":
        session.cut(action.terminal);
        break;
      case "pause":
        session.pause(action.terminal, action.paused);
        break;
    }
  }

  get #opened(): Session {
    if (!this.#session) throw new Refused(409, "No pattern is open.");
    return this.#session;
  }

  async #open(pattern: string, anew: boolean): Promise<void> {
    if (!this.patterns.includes(pattern)) throw new Refused(404, `There is no pattern "${pattern}".`);
    if (this.#session?.name === pattern && !anew) return;
    const before = this.#session;
    this.#session = undefined;
    await before?.close();
    this.#session = await Session.open({
      root: this.root,
      pattern,
      watches: pattern === WATCH,
      broker: this.#broker,
      say: (event) => this.log.say(event),
    });
  }

  async #inTurn(act: () => Promise<void>): Promise<Record<string, never>> {
    const done = this.#busy.then(act);
    this.#busy = done.catch(() => {});
    await done;
    return {};
  }
}
