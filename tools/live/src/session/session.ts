import { join } from "node:path";
import type { Broker, VirtualHost } from "broker";
import { text } from "shared";
import {
  type Block,
  play,
  READY,
  type Readme,
  type Terminal as Running,
  readersEnvironment,
  readReadme,
} from "stage";
import type { Connection } from "wire";
import type { PassingOf } from "../feed/passing.ts";
import { route } from "../feed/routing.ts";
import { folderOf } from "../pages/catalogue.ts";
import type {
  ByHand,
  Description,
  Happening,
  LiveEvent,
  ObjectName,
  Preview,
  Terminal,
  Value,
} from "../protocol.ts";
import { Refused } from "../refused.ts";
import { commandOf, readCommand, scriptsOf } from "./commands.ts";
import { describe } from "./describe.ts";
import { publishByHand } from "./hand.ts";
import { Programs } from "./programs.ts";
import { Steps } from "./steps.ts";
import { TerminalWires, type WireListener } from "./wires.ts";
import { startsBroker, World } from "./world.ts";

export interface SessionOptions {
  /** The repository's root. */
  root: string;
  /** The pattern's name. */
  pattern: string;
  broker: Broker;
  /** Whether what others do in the virtual host of the broker's URL is shown, in place of a new virtual host. */
  watches?: boolean;
  /** Hears what the page should. */
  say: (event: LiveEvent) => void;
  /** Hears each single happening, also when there are more than the page can show. */
  listen?: (happening: Happening) => void;
  /** Whether a play goes on by itself, without a page that says `next`. */
  isFree?: boolean;
  /** ms that the next line of a scenario, or an end, may take. A page may start three nodes. */
  patience?: number;
}

/** One pattern on the page: where it is played, its programs, and what happens. */
export class Session {
  readonly readme: Readme;
  readonly name: string;
  readonly #options: SessionOptions;
  readonly #folder: string;
  /** What its programs are started by. */
  readonly #commands: string[];
  readonly #programs: Programs;
  readonly #steps: Steps;
  readonly #wires = new Set<TerminalWires>();
  #world: World;
  /** The scenario that was played last in this world; -1 for none, infinity when the learner has run something. */
  #played = -1;
  #playing: { stop: AbortController; over: Promise<void> } | undefined;
  #terminals = 0;
  #turn = 0;
  #goOn: (() => void) | undefined;
  #isStepping = false;
  #guests: TerminalWires | undefined;

  private constructor(options: SessionOptions, readme: Readme, commands: string[], world: World) {
    this.#options = options;
    this.readme = readme;
    this.name = options.pattern;
    this.#folder = folderOf(options.root, options.pattern);
    this.#commands = commands;
    this.#world = this.#adopt(world);
    this.#programs = new Programs(options.say);
    this.#steps = new Steps(options.say);
  }

  /**
   * Opens a pattern.
   *
   * @throws When its README can't be read, or the broker can't be reached or has no management API.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { root, pattern, broker, watches = false, say, listen } = options;
    const folder = folderOf(root, pattern);
    const readme = readReadme(join(folder, "README.md"));
    const commands = [
      ...readme.scenarios.flatMap(({ blocks }) => blocks.map(({ command }) => command)),
      ...[...scriptsOf(folder).keys()].map((script) => commandOf(pattern, script, []).command),
    ];
    say({ type: "pattern", name: pattern, title: readme.title });
    const virtualHost = watches ? ownVirtualHost(broker) : await broker.createVirtualHost();
    const world = await World.make(broker, virtualHost, commands, say, listen);
    const session = new Session(options, readme, commands, world);
    await session.#invite();
    return session;
  }

  get world(): World {
    return this.#world;
  }

  /**
   * Plays a scenario from its beginning. What is played is ended first. A scenario follows on those before it; one
   * that doesn't gets a new virtual host.
   *
   * @returns When it has begun. `over` resolves when it is over.
   * @throws {Refused} When there is no such scenario.
   */
  async play(index: number): Promise<{ over: Promise<void> }> {
    if (!this.readme.scenarios[index]) throw new Refused(404, "There is no such scenario.");
    await this.stop();
    if (this.#played >= index) await this.#renew();
    this.#played = index;
    const stop = new AbortController();
    const over = this.#play(index, stop.signal);
    this.#playing = { stop, over };
    return { over };
  }

  /** Ends what is played, and all programs. */
  async stop(): Promise<void> {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.stop.abort(new Error("stopped"));
    this.#goOn?.();
    await playing?.over;
    await this.#programs.close();
    await this.#closeWires();
  }

  /** Goes on, if it is this turn that is awaited. */
  next(turn: number): void {
    if (turn !== this.#turn) return;
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  /** Holds each publish, delivery and acknowledgement from now on, or lets them go. */
  step(isStepping: boolean): void {
    this.#isStepping = isStepping;
    for (const wires of this.#allWires) wires.step(isStepping);
    if (!isStepping) this.#steps.clear();
  }

  /** @throws {Refused} When nothing is held. */
  release(hold?: number): void {
    if (!this.#steps.release(hold)) throw new Refused(409, "Nothing is held.");
  }

  /**
   * Runs a script of the pattern.
   *
   * @returns Its terminal.
   * @throws {Refused}
   */
  async run(script: string, words: string[]): Promise<string> {
    this.#programs.expectRoom();
    if (!scriptsOf(this.#folder).has(script)) throw new Refused(404, `There is no script "${script}".`);
    this.#played = Number.POSITIVE_INFINITY;
    const { command } = commandOf(this.name, script, words);
    if (!startsBroker(command)) await this.#world.isReady();
    const { id, env, wires } = await this.#newTerminal(command);
    this.#programs.run(this.#folder, this.name, id, script, words, env, wires);
    return id;
  }

  type(terminal: string, text: string): void {
    this.#programs.type(terminal, text);
  }

  press(terminal: string, key: "^C" | "^\\"): void {
    this.#programs.press(terminal, key);
  }

  kill(terminal: string): void {
    this.#programs.kill(terminal);
  }

  cut(terminal: string): void {
    this.#programs.wiresOf(terminal).cut();
  }

  pause(terminal: string, isPaused: boolean): void {
    this.#programs.wiresOf(terminal).pause(isPaused);
    this.#world.feed.pause(terminal, isPaused);
  }

  /** @throws {Refused} When the broker refuses the message. */
  async publish(message: ByHand): Promise<void> {
    const wires = new TerminalWires("you", this.#listener(this.#world));
    wires.step(this.#isStepping);
    this.#wires.add(wires);
    this.#played = Number.POSITIVE_INFINITY;
    try {
      await publishByHand(await wires.lay(this.#world.virtualHost.amqpUrl), message);
    } finally {
      this.#wires.delete(wires);
      await wires.close();
    }
  }

  preview(exchange: string, key: string, headers: Record<string, Value>): Preview {
    return route(this.#world.feed.plan, exchange, key, headers);
  }

  /** @throws {Refused} When there is no such object. */
  describe(object: ObjectName): Description {
    return describe(object, this.#world, this.readme);
  }

  /** The broker goes away, and comes back. */
  async restart(): Promise<void> {
    const { broker, say } = this.#options;
    say({ type: "broker", state: "restarting" });
    this.#world.suspend();
    // Until what happens is seen again, no program may connect.
    await Promise.all(this.#allWires.map((wires) => wires.unplug()));
    await broker.settle();
    await broker.kill();
    await broker.start();
    await this.#world.resume();
    await Promise.all(this.#allWires.map((wires) => wires.plugIn()));
    say({ type: "broker", state: "up" });
  }

  /** Ends everything, and removes the virtual host. */
  async close(): Promise<void> {
    await this.stop();
    await this.#guests?.close();
    await this.#world.close();
  }

  async #play(index: number, signal: AbortSignal): Promise<void> {
    const { root, say, patience = 45_000 } = this.#options;
    const scenario = this.readme.scenarios[index];
    if (!scenario) return;
    say({ type: "scenario", index, heading: scenario.heading });
    this.#retell();
    const stages = new Map<Block, { id: string; env: NodeJS.ProcessEnv; wires: TerminalWires }>();
    for (const block of scenario.blocks) stages.set(block, await this.#newTerminal(block.command));
    const stageOf = (block: Block) => stages.get(block) as NonNullable<ReturnType<typeof stages.get>>;
    try {
      const performances = await play(scenario, {
        cwd: root,
        env: (block) => readersEnvironment(stageOf(block).env),
        patience,
        signal,
        beforeOpen: async (block) => {
          if (!startsBroker(block.command)) await this.#world.ready(patience, signal);
          const { narration } = block;
          await this.#turnOf({
            type: "step",
            turn: ++this.#turn,
            block: scenario.blocks.indexOf(block),
            narration,
          });
        },
        beforeClose: () => this.#turnOf({ type: "lingering", turn: ++this.#turn }),
        on: (event) => {
          if (event.type === "narration" || event.type === "exited") return;
          const { id, wires } = stageOf(event.block);
          if (event.type === "opened") this.#opened(event.block, scenario.blocks, id, event.terminal, wires);
          else if (event.type === "line") this.#programs.line(id, event.text);
          else if (event.type === "typed") this.#programs.typed(id, event.text);
          else this.#programs.pressed(id, event.key);
        },
      });
      const difference = performances.flatMap(({ difference }) => difference ?? []);
      say({ type: "finished", ok: difference.length === 0, difference });
    } catch (error) {
      const difference = signal.aborted ? [] : [(error as Error).message];
      say({ type: "finished", ok: false, difference });
    }
  }

  #opened(block: Block, blocks: Block[], id: string, running: Running, wires: TerminalWires): void {
    const terminal: Terminal = {
      id,
      ...readCommand(block.command),
      stays: block.lines.some(({ kind, text }) => kind === "printed" && READY.test(text)),
      block: blocks.indexOf(block),
    };
    this.#programs.opened(terminal, running, wires);
  }

  /** Waits for the learner, or the page that plays on their behalf. */
  async #turnOf(event: LiveEvent): Promise<void> {
    const { say, isFree = false } = this.#options;
    const goesOn = new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    say(event);
    if (!isFree) await goesOn;
  }

  /** Tells a page that has begun anew what there is. */
  #retell(): void {
    const { feed } = this.#world;
    feed.plan.retell();
    this.#options.say(feed.contents());
  }

  async #renew(): Promise<void> {
    const { broker, say, listen } = this.#options;
    await this.#guests?.close();
    await this.#world.close();
    this.#world = this.#adopt(
      await World.make(broker, await broker.createVirtualHost(), this.#commands, say, listen),
    );
    await this.#invite();
  }

  get #allWires(): TerminalWires[] {
    return [...this.#wires, ...(this.#guests ? [this.#guests] : [])];
  }

  /** Lays a wire for programs that run elsewhere. Each of its connections counts as a program. */
  async #invite(): Promise<void> {
    const world = this.#world;
    // A cluster is there when one of the programs has started it.
    if (world.place.amqpUrl !== world.virtualHost.amqpUrl) return;
    const { say } = this.#options;
    const listener = this.#listener(world);
    const number = ++this.#terminals;
    const idOf = ({ id }: Connection) => `guest ${number}.${id}`;
    this.#guests = new TerminalWires(idOf, {
      ...listener,
      owner: (id) => id,
      passed: (connection, passing, id) => {
        if (passing.method === "connection.start-ok") say({ type: "terminal", terminal: guest(id, passing) });
        listener.passed(connection, passing, id);
      },
      disconnected: (connection, through) => {
        listener.disconnected(connection, through);
        say({ type: "ended", terminal: idOf(through), ok: true, how: "disconnected" });
      },
    });
    this.#guests.step(this.#isStepping);
    const url = new URL(await this.#guests.lay(world.virtualHost.amqpUrl, world.reserved));
    if (url.username !== "guest") url.password = "";
    say({ type: "invitation", amqpUrl: url.href });
  }

  /** What programs publish faster than can be followed waits on their wires. */
  #adopt(world: World): World {
    world.feed.onBehind = (isBehind) => {
      for (const wires of this.#allWires) wires.slow(isBehind);
    };
    return world;
  }

  async #newTerminal(command: string) {
    const id = `t${++this.#terminals}`;
    const world = this.#world;
    const wires = new TerminalWires(id, this.#listener(world));
    this.#wires.add(wires);
    const { virtualHost, own, reserved } = world;
    const direct = startsBroker(command);
    const via = async (url: string, ...others: string[]) => (direct ? url : wires.lay(url, reserved, others));
    const env: NodeJS.ProcessEnv = {
      AMQP_URL: await wires.lay(virtualHost.amqpUrl, reserved),
      RABBITMQ_MANAGEMENT_URL: virtualHost.managementUrl,
      ...(own && {
        MQTT_URL: await via(own.mqttUrl),
        AMQPS_URL: await via(own.amqpsUrl),
        CLUSTER_URL: (await Promise.all(rotations(own.clusterUrl).map((urls) => via(...urls)))).join(),
      }),
    };
    wires.step(this.#isStepping);
    wires.slow(world.feed.isBehind);
    return { id, env, wires };
  }

  #listener({ feed }: World): WireListener {
    return {
      owner: (terminal, name) => this.#programs.owner(terminal, name.replace(`${this.name} `, "")),
      connected: (terminal, connection, name) => feed.connected(terminal, connection, name),
      disconnected: (connection, through) => {
        feed.disconnected(connection);
        this.#steps.disconnected(through);
      },
      passed: (connection, passing) => feed.passed(connection, passing),
      held: (terminal, held) => this.#steps.held(terminal, held),
      foreign: (terminal, protocol) =>
        this.#options.say({
          type: "notice",
          terminal,
          text: `This connection speaks ${protocol}. What passes on it can't be shown.`,
        }),
    };
  }

  async #closeWires(): Promise<void> {
    const all = [...this.#wires];
    this.#wires.clear();
    await Promise.all(all.map((wires) => wires.close()));
    this.#steps.clear();
  }
}

/** The virtual host that a broker's URL names. It is somebody else's, and so stays. */
const ownVirtualHost = ({ amqpUrl, managementUrl }: Broker): VirtualHost => ({
  name: decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || "/",
  amqpUrl,
  managementUrl,
  async delete() {},
});

/** A program that runs elsewhere, by what it says of itself. */
function guest(id: string, { fields }: PassingOf<"connection.start-ok">): Terminal {
  const { connection_name: name, product } = fields.clientProperties;
  const script = text(String(name ?? product ?? "a program")).slice(0, 80);
  return { id, script, words: "", command: "", stays: false, isGuest: true };
}

/** A cluster's URLs, each of them followed by the others. */
const rotations = (clusterUrl: string): [string, ...string[]][] => {
  const urls = clusterUrl.split(",");
  return urls.map((url) => [url, ...urls.filter((other) => other !== url)]);
};
