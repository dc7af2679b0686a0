import type { Session } from "../benchmark.ts";
import { kept } from "../kept.ts";
import { measuredBy } from "../latency.ts";
import { findNative } from "../native.ts";
import { withQueue } from "../queue.ts";
import type { Way } from "../results.ts";
import { type Program, startWorker, typescript } from "../worker.ts";
import type { Calling } from "./caller.ts";
import { flights, kinds, report } from "./report.ts";
import type { Serving } from "./server.ts";

/** Bytes of a request and of its reply. */
const size = 100;
/** Of the server: no call waits for another's acknowledgement. */
const prefetch = 50;

export const rpc = kept({
  name: "rpc",
  summary: "latency of calls: direct reply-to and an exclusive queue, 1 and 50 in flight, noDelay",
  report,
  async prepare(session, { quick }) {
    const c = await findNative();
    const { amqpUrl } = await session.makeVirtualHost();
    const ways = flights.flatMap((inFlight) =>
      kinds.flatMap((replies) => {
        const both = { replies, inFlight, size, prefetch };
        const calls = (noDelay: boolean) => {
          if (quick) return inFlight === 1 && !noDelay ? 10 : 100;
          // Without noDelay a call waits some 40 ms, and 50 in flight share that.
          return (noDelay ? 4_000 : 50) * (inFlight === 1 ? 1 : 5);
        };
        const ours = [true, false].map((noDelay) => {
          const settings = { ...both, noDelay, calls: calls(noDelay), warmUp: calls(noDelay) / 10 };
          return calling(session, amqpUrl, "amqplib", settings, (queue) => ({
            server: typescript("rpc/server.ts", { queue, prefetch, noDelay } satisfies Serving),
            caller: typescript("rpc/caller.ts", { ...settings, queue } satisfies Calling),
          }));
        });
        if ("missing" in c) return ours;
        const settings = { ...both, noDelay: true, calls: calls(true), warmUp: 0 };
        const theirs = calling(session, amqpUrl, "C", settings, (queue) => ({
          server: c.server({ queue, prefetch, ack: "each" }),
          caller: c.caller({ queue, count: settings.calls, size, inFlight, replies }),
        }));
        return [...ours, theirs];
      }),
    );
    return { ways, versions: "missing" in c ? {} : { C: c.version } };
  },
});

function calling(
  { signal }: Session,
  amqpUrl: string,
  way: string,
  settings: Omit<Calling, "queue"> & { prefetch: number },
  programs: (queue: string) => { server: Program; caller: Program },
): Way {
  const { calls, inFlight, replies, noDelay } = settings;
  return {
    way,
    settings,
    label: `${way}, ${inFlight} in flight, ${replies} replies${noDelay ? "" : ", without noDelay"}`,
    total: calls,
    run: (progress) =>
      withQueue(amqpUrl, "classic", async (queue) => {
        const programsOfRun = programs(queue);
        const options = { amqpUrl, signal };
        const server = startWorker(programsOfRun.server, options);
        const caller = startWorker(programsOfRun.caller, {
          ...options,
          onProgress: (count) => progress.update(count),
        });
        // It serves until it is told to stop: before that, its end is a failure.
        const serverEnds = server.done.then(() => Promise.reject(new Error("The server has ended.")));
        try {
          await Promise.race([Promise.all([server.ready, caller.ready]), serverEnds]);
          caller.go();
          return measuredBy(await Promise.race([caller.done, serverEnds]));
        } finally {
          await Promise.all([server.kill(), caller.kill()]);
        }
      }),
  };
}
