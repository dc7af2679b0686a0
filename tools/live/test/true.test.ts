import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Broker, startBroker } from "broker";
import { beforeAll, test } from "vitest";
import type { Happening, LiveEvent } from "../src/protocol.ts";
import { Session } from "../src/session/session.ts";
import { brokersCounts, feedsCounts } from "./counts.ts";

const root = join(import.meta.dirname, "../../..");
const patterns = readdirSync(join(root, "examples"));

let broker: Broker;

beforeAll(async () => {
  broker = await startBroker();
});

// Several patterns play side by side.
test.concurrent.for(patterns)(
  "of %s, the account of each queue is the broker's, and each scenario prints what its page shows",
  // ms; a bound
  { timeout: 400_000 },
  async (pattern, { expect }) => {
    const wrong: unknown[] = [];
    const notices: string[] = [];
    const compared: Promise<void>[] = [];
    /** The counts of both, which may take a moment to become the same. */
    const compare = async ({ world }: Session) => {
      await expect
        .poll(async () => [await brokersCounts(world), feedsCounts(world)], { timeout: 60_000 })
        .toSatisfy(([broker, feed]) => sorted(broker) === sorted(feed));
    };
    const say = (event: LiveEvent) => {
      if (event.type === "notice") notices.push(event.text);
      else if (event.type === "finished" && !event.ok) wrong.push(event.difference);
      // A page that plays says so when it has shown everything.
      else if (event.type === "step") setImmediate(() => session.next(event.turn));
      else if (event.type === "lingering")
        compared.push(
          compare(session)
            .catch((error) => void wrong.push(error))
            .finally(() => session.next(event.turn)),
        );
    };
    const listen = (happening: Happening) => {
      if (pattern !== "quorum-failover" && isUnexplained(happening)) wrong.push(happening);
      if (happening.type === "routed" && happening.basis === "seen" && !isAsBound(happening))
        wrong.push(happening);
    };
    const session: Session = await Session.open({ root, pattern, broker, say, listen, patience: 120_000 });
    try {
      for (const [index, { blocks }] of session.readme.scenarios.entries()) {
        const { over } = await session.play(index);
        await over;
        // A broker that a program has started is gone with it.
        if (!blocks.some(({ command }) => / cluster\b/.test(command))) await compare(session);
      }
      await Promise.all(compared);
      expect(wrong).toEqual([]);
      const foreign = { mqtt: "MQTT", tls: "TLS" }[pattern];
      if (foreign) expect(notices).toContainEqual(expect.stringContaining(foreign));
    } finally {
      await session.close();
    }
  },
);

const sorted = (counts: Record<string, number> = {}) => JSON.stringify(Object.entries(counts).sort());

/**
 * What the feed can't tell the reason of, or takes for somebody else's doing. All programs are on its wires, so there
 * should be no such thing, unless a node is killed that takes with it what only it knew.
 */
const isUnexplained = (happening: Happening) =>
  happening.type === "gone" ||
  (happening.type === "published" && happening.by === "outside") ||
  (happening.type === "delivered" && happening.to === "outside") ||
  (happening.type === "routed" && happening.basis === "inferred");

/** Whether a message went where the bindings say. The path is inferred from them, the queues are seen. */
function isAsBound({ path, copies }: Extract<Happening, { type: "routed" }>): boolean {
  const inferred = new Set(path.filter(({ kind }) => kind === "queue").map(({ to }) => to));
  const seen = new Set(copies.map(({ queue }) => queue));
  return inferred.size === seen.size && [...seen].every((queue) => inferred.has(queue));
}
