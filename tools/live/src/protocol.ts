/**
 * What the page and the server of `pnpm live` say to each other. Types only: the page imports this file, too.
 *
 * The server's paths, all on one origin:
 *
 * - `GET /` and `GET /<pattern>`: the page, `web/index.html`. It loads `/main.js` (bundled from `web/main.tsx`),
 *   `/style.css` (`web/style.css`) and `/code.css` (the colours of highlighted source).
 * - `GET /catalogue`: `Catalogue`.
 * - `GET /lesson/<pattern>`: the README as HTML, without its diagram. Each heading has its anchor as `id`.
 * - `GET /source/<pattern>`: `SourceFile[]`.
 * - `GET /events`: server-sent events. Each is a `Sent` as JSON with its number as `id`. A new page gets everything
 *   since the pattern was opened; one that reconnects, what came after its `Last-Event-ID`.
 * - `POST /act`: an `Action` as JSON. See `Answers` for what comes back. An action that can't be done is answered with
 *   status 400 (it makes no sense), 404 (no such thing) or 409 (not now), and a `Refusal`.
 */

// ── The catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface Catalogue {
  /** "RabbitMQ 4.3.6, in Docker" */
  broker: string;
  /** Whether the broker is ours, so that it may be restarted. */
  canRestart: boolean;
  /** Its chapters: "1. Basics". */
  groups: { name: string; patterns: Pattern[] }[];
}

export interface Pattern {
  /** The name of its folder in examples/. */
  name: string;
  title: string;
  /** When to use it, in some words. Markdown. */
  use: string;
  /** The first paragraph of its README, as plain text. */
  summary: string;
  scenarios: Scenario[];
  /** The scripts that a learner can run. */
  scripts: string[];
  /** What can't be shown of it, in a sentence: what passes inside TLS, or as MQTT. */
  unseen?: string;
}

export interface Scenario {
  heading: string;
  /** The heading's `id` in the lesson: "run-it". */
  anchor: string;
  blocks: { command: string; narration: string[] }[];
}

export interface SourceFile {
  /** Relative to the pattern's folder: "src/pub.ts". */
  file: string;
  /** Highlighted. Its colours are classes of `/code.css`, for light and for dark. */
  html: string;
}

// ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────────

/** An event, and when it happened: ms since the server started. */
export type Sent = LiveEvent & { at: number };

export type LiveEvent = PlayEvent | TerminalEvent | Invitation | Happening | Totals | Contents;

/** How a pattern is played. `pattern` and `scenario` each begin anew: the page clears its picture. */
export type PlayEvent =
  | { type: "pattern"; name: string; title: string }
  | { type: "scenario"; index: number; heading: string }
  /**
   * The next terminal is about to open. The server waits for `next` with this turn's number: a page that plays sends
   * it when its picture has caught up, a page that steps when the learner asks for it.
   */
  | { type: "step"; turn: number; block: number; narration: string[] }
  /** All has been printed, and the terminals are still open. `next` ends them. */
  | { type: "lingering"; turn: number }
  /** `difference`: where what was printed differs from the README, a line each. Empty when nothing does. */
  | { type: "finished"; ok: boolean; difference: string[] }
  /** For all pages alike. `factor`: 1 is real time for a reader, 2 is twice as fast. */
  | { type: "speed"; factor: number }
  | { type: "stepping"; messages: boolean }
  /** The broker is being restarted. `up`: it answers again, and what happens is seen again. */
  | { type: "broker"; state: "restarting" | "up" }
  /** Something the learner should know, in a sentence: a connection that can't be read, a broker that has gone. */
  | { type: "notice"; text: string; terminal?: string };

export interface Terminal {
  /** "t1". The program "you" publishes by hand, and has no terminal. */
  id: string;
  /** The script's name: "pub". */
  script: string;
  /** Its arguments as typed. */
  words: string;
  /** The whole command as a reader would type it. */
  command: string;
  /** Whether it stays until it is stopped. Of one that the learner runs it isn't known, so it is false. */
  stays: boolean;
  /** The scenario's block that it plays; none when the learner runs it. */
  block?: number;
  /** It runs elsewhere, and its connection came by the invitation: what it prints isn't known. */
  isGuest?: boolean;
}

/** Where programs that the page has not started may connect to, so that it shows what they do. */
export interface Invitation {
  type: "invitation";
  /** A password that isn't the usual one is left out. */
  amqpUrl: string;
}

export type TerminalEvent =
  | { type: "terminal"; terminal: Terminal }
  | { type: "line"; terminal: string; text: string }
  | { type: "typed"; terminal: string; text: string }
  | { type: "pressed"; terminal: string; key: string }
  /** `how`: "exit code 0", "signal SIGKILL". */
  | { type: "ended"; terminal: string; ok: boolean; how: string };

/** "seen": on the wire, by the firehose or in the broker's own count. "inferred": the broker doesn't tell. */
export type Basis = "seen" | "inferred";

export interface Message {
  /** Stays the same when a message is routed, requeued and dead-lettered. */
  id: number;
  exchange: string;
  key: string;
  /** Its beginning, as text with control characters made visible. */
  body: string;
  /** Of the whole body, in bytes. */
  size: number;
  properties: Record<string, Value>;
  headers: Record<string, Value>;
}

export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };

/** A message in a queue. One that is routed to three queues has three copies, and so three ids. */
export interface Copy {
  copy: number;
  message: number;
  queue: string;
}

/** A step on a message's way: from an exchange to a queue or another exchange. */
export interface Hop {
  exchange: string;
  to: string;
  kind: "queue" | "exchange";
  /** The binding's key. */
  key: string;
  /** "alternate": no binding matched, and the exchange names another one for that case. */
  why: "binding" | "alternate";
}

export interface Topology {
  exchanges: Exchange[];
  queues: Queue[];
  bindings: Binding[];
  consumers: Consumer[];
}

export interface Exchange {
  /** "" is the default exchange. */
  name: string;
  type: string;
  durable: boolean;
  internal: boolean;
  arguments: Record<string, Value>;
  /** Where it sends what no binding matches. */
  alternate?: string;
}

export interface Queue {
  name: string;
  type: "classic" | "quorum" | "stream" | "reply";
  durable: boolean;
  exclusive: boolean;
  autoDelete: boolean;
  arguments: Record<string, Value>;
  /** The exchange that its dead letters go to ("" is the default one), and their key if that is changed. */
  deadLetterExchange?: string;
  deadLetterKey?: string;
  /** A cluster's nodes that have it: the leader first. */
  nodes?: string[];
}

export interface Binding {
  exchange: string;
  to: string;
  kind: "queue" | "exchange";
  /** Of a headers exchange its arguments: "format=pdf, x-match=all". */
  key: string;
  arguments: Record<string, Value>;
}

export interface Consumer {
  queue: string;
  terminal: string;
  tag: string;
  /** 0: as many as there are. */
  prefetch: number;
  /** Whether it acknowledges, or the broker takes each delivery for done. */
  acks: boolean;
  exclusive: boolean;
  priority: number;
  /** For a stream: where it begins to read. */
  from?: string;
  /** Whether its deliveries are held back: see the action `pause`. */
  paused: boolean;
}

export interface Change {
  what: "exchange" | "queue" | "binding" | "consumer";
  how: "added" | "removed";
  /** For people: "topic_logs (topic)", "topic_logs → amq.gen-… (kern.*)". */
  name: string;
}

/** What happens on the broker, in an order that makes sense: published, then routed, then delivered. */
export type Happening = { basis: Basis } & (
  | { type: "connected"; terminal: string; connection: string }
  /** `unacked`: how many messages it had in hand, which go back to their queues. */
  | { type: "disconnected"; terminal: string; connection: string; unacked: number }
  /** The broker closed a channel or a connection: "404 NOT_FOUND - no exchange 'x'". */
  | { type: "closed"; terminal: string; what: "channel" | "connection"; code: number; text: string }
  /** The broker reads nothing more from this program: an alarm of memory or disk. */
  | { type: "blocked"; terminal: string; reason: string }
  | { type: "unblocked"; terminal: string }
  /** All there is now, and what has changed since the last one. */
  | { type: "topology"; topology: Topology; changes: Change[] }
  /** `by`: a terminal, "you" by hand on the page, "outside" a client that the page doesn't know. */
  | { type: "published"; message: Message; by: string; mandatory: boolean }
  /** `queues` are seen, `path` follows from the bindings. */
  | { type: "routed"; message: number; copies: Copy[]; path: Hop[] }
  /** No queue. `path`: as far as it came. */
  | { type: "dropped"; message: number; exchange: string; path: Hop[] }
  | { type: "returned"; message: number; to: string; reason: string }
  | { type: "confirmed"; message: number; to: string }
  /** The broker refuses it; `full`: the queue that has no room. */
  | { type: "nacked"; message: number; to: string; full?: string }
  /**
   * `content`: of a long queue's messages the page knows only the first. `offset`: a stream's. Deliveries of a stream
   * remove nothing. `acks`: whether an ack is awaited.
   */
  | ({
      type: "delivered";
      content: Message;
      to: string;
      tag: string;
      redelivered: boolean;
      acks: boolean;
      offset?: number;
    } & Copy)
  | ({ type: "acked"; by: string } & Copy)
  /** Given up by its consumer, and not to be requeued. A `dead-lettered` may follow. */
  | ({ type: "rejected"; by: string } & Copy)
  | ({
      type: "requeued";
      by: string;
      why: "rejected" | "connection lost" | "channel closed" | "cancelled";
    } & Copy)
  | ({ type: "expired" } & Copy)
  /** The queue was full, and its oldest message made room. */
  | ({ type: "pushed-out" } & Copy)
  /** Delivered and given back more often than its quorum queue allows. */
  | ({ type: "delivery-limit" } & Copy)
  | ({ type: "purged" } & Copy)
  /** The broker has it no longer, and nothing says why: somebody else took it, or it was lost with its node. */
  | ({ type: "gone" } & Copy)
  /** `copy` has left `queue`, and went to `copies`: none, if no binding matches. */
  | ({ type: "dead-lettered"; exchange: string; key: string; copies: Copy[]; path: Hop[] } & Copy)
  /** What was inferred of this copy has now been seen: it was delivered from where it was thought to be. */
  | ({ type: "proved" } & Copy)
  | { type: "empty"; queue: string; by: string }
  /** Message by message: this one waits on the wire until it is let go. `body`: its beginning. */
  | {
      type: "held";
      hold: number;
      terminal: string;
      what: HeldMethod;
      exchange: string;
      key: string;
      body: string;
    }
  | { type: "released"; hold: number }
  | {
      type: "cluster";
      nodes: ClusterNode[];
      queues: { name: string; leader: string; members: string[]; online: string[] }[];
    }
);

export type HeldMethod = "publish" | "deliver" | "ack" | "nack";

export interface ClusterNode {
  name: string;
  running: boolean;
}

/**
 * In place of single happenings, when more than 30 messages a second are published: how many there were on each
 * edge within the last `span` ms. `contents` follows when it is calm again.
 */
export interface Totals {
  type: "totals";
  /** ms */
  span: number;
  published: { by: string; exchange: string; count: number }[];
  routed: { exchange: string; queue: string; count: number }[];
  dropped: { exchange: string; count: number }[];
  confirmed: { to: string; count: number; nacked: number }[];
  delivered: { queue: string; to: string; count: number; redelivered: number }[];
  acked: { queue: string; by: string; count: number }[];
  requeued: { queue: string; by: string; count: number }[];
  /** Expired, rejected, pushed out or over the limit. */
  died: { queue: string; count: number }[];
  queues: { name: string; ready: number; unacked: number }[];
}

/** What every queue holds now: sent after totals, so that the picture can go on from here. */
export interface Contents {
  type: "contents";
  queues: {
    name: string;
    ready: number;
    unacked: number;
    /**
     * The oldest ones, of a stream the newest, at most 20, in the queue's order. `holder`: the terminal that has not
     * acknowledged it yet.
     */
    oldest: { copy: number; message: Message; holder?: string; deliveries: number; offset?: number }[];
  }[];
}

// ── What the learner does ───────────────────────────────────────────────────────────────────────────────────────────

export type Action =
  /** Opens a pattern; a running one ends. Opening the one that is open does nothing, unless `anew`. */
  | { do: "open"; pattern: string; anew?: boolean }
  /** Plays a scenario from its beginning; a running one ends. */
  | { do: "play"; scenario: number }
  /** Ends what is played, and every program. */
  | { do: "stop" }
  /** Goes on, if that turn is awaited. Else it does nothing: two pages may say so. */
  | { do: "next"; turn: number }
  | { do: "speed"; factor: number }
  /** Whether each publish, delivery and ack is held until `release`. */
  | { do: "stepping"; messages: boolean }
  /** Lets go of what is held; without a number, of the one that has been held longest. */
  | { do: "release"; hold?: number }
  /** Runs a script of the pattern. No shell sees the words. */
  | { do: "run"; script: string; words: string[] }
  | { do: "type"; terminal: string; text: string }
  /** "^C" asks a program to end. */
  | { do: "press"; terminal: string; key: "^C" | "^\\" }
  /** As `kill -9`. */
  | { do: "kill"; terminal: string }
  /** Breaks its connections, as a network would. */
  | { do: "cut"; terminal: string }
  /** Holds back what the broker delivers to it, and lets it go again. */
  | { do: "pause"; terminal: string; paused: boolean }
  | ({ do: "publish" } & ByHand)
  | { do: "preview"; exchange: string; key: string; headers: Record<string, Value> }
  | { do: "restart" }
  | { do: "describe"; object: ObjectName };

/** A message that the learner publishes. */
export interface ByHand {
  exchange: string;
  key: string;
  headers: Record<string, Value>;
  properties: {
    contentType?: string;
    correlationId?: string;
    replyTo?: string;
    messageId?: string;
    type?: string;
    /** ms */
    expiration?: number;
    priority?: number;
    persistent?: boolean;
  };
  body: string;
  mandatory: boolean;
}

export type ObjectName =
  | { kind: "exchange" | "queue"; name: string }
  | { kind: "binding"; exchange: string; to: string; key: string }
  | { kind: "program"; terminal: string }
  | { kind: "message"; message: number };

/** What an action is answered with. All others: `{}`. */
export interface Answers {
  run: { terminal: string };
  preview: Preview;
  describe: Description;
}

export interface Preview {
  /** Where it would go as the bindings say. No queue: it would be dropped, or returned if it is mandatory. */
  path: Hop[];
  queues: string[];
}

export interface Description {
  title: string;
  /** What it is, in a sentence or two. */
  text: string;
  facts: { name: string; value: string }[];
  /** The oldest ones that it holds, at most 20. */
  messages: { message: Message; holder?: string }[];
  /** Shows the same in a terminal: "rabbitmqctl list_queues …". */
  command?: string;
  /** Where the lesson speaks of it. */
  anchor?: string;
}

export interface Refusal {
  /** Why not, in a sentence for the learner. */
  error: string;
}
