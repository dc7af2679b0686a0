import type { ClusterNode, LiveEvent, ObjectName } from "../../src/protocol.ts";
import type { Messages } from "../messages.ts";
import type { Programs } from "../programs.ts";
import { Board } from "./board.ts";
import { Motion } from "./motion.ts";
import { Traffic } from "./traffic.ts";

/** Shows on an SVG what happens on the broker. */
export class Picture {
  readonly motion: Motion;
  readonly #board: Board;
  readonly #traffic: Traffic;
  readonly #programs: Programs;
  #nodes: ClusterNode[] = [];

  /**
   * @param known The programs and messages that events name.
   * @param onSelect The learner has clicked an object, or pressed Enter on it.
   */
  constructor(
    element: SVGSVGElement,
    { programs, messages }: { programs: Programs; messages: Messages },
    onSelect: (object: ObjectName) => void,
  ) {
    this.motion = new Motion(element);
    this.#programs = programs;
    this.#board = new Board(element, onSelect);
    this.#traffic = new Traffic(this.#board, this.motion, programs, messages);
  }

  clear(): void {
    this.#traffic.clear();
    this.#board.clear();
  }

  /** Shows one event. @returns When its movement is over. */
  async show(event: LiveEvent): Promise<void> {
    const board = this.#board;
    const traffic = this.#traffic;
    const program = (id: string) => {
      const found = this.#programs.find(id);
      return found && board.program(found);
    };
    switch (event.type) {
      case "pattern":
      case "scenario":
        this.clear();
        break;
      case "terminal": {
        const { id, script, words } = event.terminal;
        const known = this.#programs.find(id);
        if (!known) break;
        const node = board.program(known);
        node.terminal = id;
        node.describe(script, words);
        node.state = "running";
        this.#rename();
        break;
      }
      case "line":
      case "typed":
        program(event.terminal)?.say(event.text);
        break;
      case "ended": {
        const node = program(event.terminal);
        if (node) node.state = event.how.includes("SIGKILL") ? "lost" : "ended";
        break;
      }
      case "connected": {
        const node = program(event.terminal);
        if (node) node.state = "running";
        break;
      }
      case "disconnected": {
        const node = program(event.terminal);
        if (node && event.unacked > 0) node.state = "lost";
        break;
      }
      case "closed":
        program(event.terminal)?.say(`✕ ${event.text}`);
        break;
      case "topology":
        this.#rename();
        board.reshape(event.topology, (terminal) => this.#programs.find(terminal));
        break;
      case "published":
        return traffic.published(event);
      case "routed":
        return traffic.routed(event);
      case "dropped":
        return traffic.dropped(event);
      case "returned":
        return traffic.returned(event);
      case "confirmed":
      case "nacked":
        return traffic.answered(event);
      case "delivered":
        return traffic.delivered(event);
      case "acked":
        return traffic.acked(event);
      case "requeued":
        return traffic.requeued(event);
      case "expired":
      case "rejected":
      case "purged":
      case "gone":
        return traffic.died(event, event.type, event.basis === "inferred");
      case "pushed-out":
        return traffic.died(event, "pushed out", event.basis === "inferred");
      case "delivery-limit":
        return traffic.died(event, "too many tries", event.basis === "inferred");
      case "dead-lettered":
        return traffic.deadLettered(event);
      case "proved":
        traffic.proved(event);
        break;
      case "held":
        return traffic.hold(event);
      case "released":
        return traffic.release(event);
      case "totals":
        traffic.totals(event);
        break;
      case "contents":
        traffic.contents(event);
        break;
      case "cluster":
        this.#nodes = event.nodes;
        for (const { name, leader, members } of event.queues)
          board
            .queue(name)
            ?.showMembers([leader, ...members.filter((member) => member !== leader)], this.#nodes);
        break;
    }
  }

  /** Takes away a program that has made room for another. */
  remove(key: string): void {
    this.#board.removeProgram(key);
  }

  /** A program that looks like another gets a number, and so may one that has long been there. */
  #rename(): void {
    for (const known of this.#programs.all)
      if (known.kind === "consumer") this.#board.program(known).rename(known.name);
  }
}
