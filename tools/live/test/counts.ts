import amqp from "amqplib";
import type { Management } from "broker";
import type { World } from "../src/session/world.ts";

interface ApiQueue {
  name: string;
  type: string;
  messages_ready?: number;
}

/**
 * Counts the messages that are ready in each queue, as exactly as the broker answers: those of a quorum queue by a
 * passive declare, since the management API's figure is seconds old.
 */
export async function brokersCounts({ place, feed }: World): Promise<Record<string, number>> {
  const { management, vhost, amqpUrl } = place;
  const path = `/queues/${encodeURIComponent(vhost)}`;
  const queues = await management<ApiQueue[]>("GET", `${path}?disable_stats=true&enable_queue_totals=true`);
  const counts: Record<string, number> = {};
  const connection = await connect(amqpUrl.split(","));
  try {
    for (const { name, type, messages_ready = 0 } of queues) {
      if (!feed.plan.queue(name)) continue;
      if (type === "stream") counts[name] = await lengthOf(management, `${path}/${encodeURIComponent(name)}`);
      else if (type === "classic") counts[name] = messages_ready;
      else counts[name] = (await (await connection.createChannel()).checkQueue(name)).messageCount;
    }
    return counts;
  } finally {
    await connection.close();
  }
}

/** The same by the feed's account. */
export function feedsCounts({ feed }: World): Record<string, number> {
  return Object.fromEntries(feed.plan.queues.map(({ name }) => [name, feed.ledger.ready(name)]));
}

async function connect(urls: string[]) {
  for (const url of urls.slice(0, -1)) {
    const connection = await amqp.connect(url).catch(() => undefined);
    if (connection) return connection;
  }
  return amqp.connect(urls.at(-1) ?? "");
}

/** A stream's length is in its statistics only. */
const lengthOf = async (management: Management, path: string) =>
  (await management<{ messages?: number }>("GET", path)).messages ?? 0;
