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

test.concurrent.for(patterns)(
  "of %s, the account of each queue is the broker's, and each page plays as it is written",
  // ms; a bound. Several patterns play side by side.
  { timeout: 400_000 },
  async (pattern, { expect }) => {
    const wrong: unknown[] = [];
    const events: LiveEvent[] = [];
    let session: Session | undefined;
    const lingering: Promise<void>[] = [];
    const page = (event: LiveEvent) => {
      if (event.type !== "line" && event.type !== "typed") events.push(event);
      if (event.type === "finished" && !event.ok) wrong.push(event.difference);
      if (event.type === "step") queueMicrotask(() => session?.next(event.turn));
      if (event.type === "lingering")
        lingering.push(
          compare()
            .catch((error) => void wrong.push(error))
            .then(() => session?.next(event.turn)),
        );
    };
    const listen = (happening: Happening) => {
      if (happening.type !== "routed" || happening.basis === "inferred" || happening.path.length === 0)
        return;
      const inferred = happening.path.filter(({ kind }) => kind === "queue").map(({ to }) => to);
      const seen = happening.copies.map(({ queue }) => queue);
      if ([...new Set(inferred)].sort().join() !== seen.sort().join())
        wrong.push(`by the bindings to ${inferred}, in truth to ${seen}`);
    };
    const compare = async () => {
      const { world } = session as Session;
      await expect
        .poll(async () => [await brokersCounts(world), feedsCounts(world)], { timeout: 20_000 })
        .toSatisfy(([broker, feed]) => JSON.stringify(sorted(broker)) === JSON.stringify(sorted(feed)));
    };
    session = await Session.open({ root, pattern, broker, say: page, listen, patience: 120_000 });
    try {
      for (const index of session.readme.scenarios.keys()) {
        const { over } = await session.play(index);
        await over;
        if (!session.readme.scenarios[index]?.blocks.some(({ command }) => / cluster$/.test(command)))
          await compare();
      }
      await Promise.all(lingering);
      expect(wrong).toEqual([]);
    } finally {
      await session.close();
    }
  },
);

const sorted = (counts: Record<string, number>) => Object.entries(counts).sort();
