import type { Consumer } from "../protocol.ts";
import type { Entry, Known } from "./ledger.ts";
import type { Passing } from "./passing.ts";

/** A message that a channel has published, until its trace, its confirm and its return are known. */
export interface Published extends Known {
  readonly mandatory: boolean;
  /** By performance.now(). */
  readonly at: number;
  /** Whether its publish has been told: what passed before it on its channel may have to wait. */
  isTold: boolean;
  /** Whether the broker has closed the channel for a publish, which may be this one: then it has no trace. */
  mayBeRefused: boolean;
  /** The queues that its trace names, if that came before it was told. */
  traced: string[] | undefined;
  /** Where it was put: known by its trace, or inferred when that doesn't come. */
  routed: Entry[] | undefined;
}

/** A `basic.get` or `basic.consume` that the broker has not answered yet. */
export interface Asked {
  queue: string;
  acks: boolean;
}

/** What has passed on a channel and still matters. */
export class Channel {
  readonly connection: Connection;
  readonly number: number;
  confirms = false;
  /** The number of the last publish since `confirm.select`, by which the broker confirms. */
  published = 0;
  readonly unconfirmed = new Map<number, Published>();
  /** Not traced yet, in their order. */
  untraced: Published[] = [];
  /** Mandatory, and in no queue: the broker is about to return them. */
  returnable: Published[] = [];
  readonly consumers = new Map<string, Consumer>();
  readonly consuming: (Asked & Pick<Consumer, "exclusive" | "priority" | "from">)[] = [];
  readonly getting: Asked[] = [];
  prefetch = 0;
  /** The queue that an empty name stands for: the one declared last. */
  lastQueue = "";
  readonly unacked = new Map<number, Entry>();
  /** Declarations and the like that the broker has not answered yet: what to do when it does. */
  readonly declaring: ((answered: string) => void)[] = [];
  /** What has passed and can't be told yet. */
  readonly backlog: { passing: Passing; at: number }[] = [];
  /** Looks at the backlog again, when patience has ended. */
  waiting: NodeJS.Timeout | undefined;

  constructor(connection: Connection, number: number) {
    this.connection = connection;
    this.number = number;
  }
}

/** A connection of a terminal's, as long as there is something to say of it. */
export interface Connection {
  readonly terminal: string;
  /** What the broker calls it, as far as the wire can tell: in Docker it sees another port. */
  readonly name: string;
  /** What the broker calls it in a trace. Known once one of its messages was traced. */
  traceName: string | undefined;
  readonly channels: Map<number, Channel>;
  /** By performance.now(), once it is closed. */
  closedAt: number | undefined;
}
