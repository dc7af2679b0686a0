import { randomUUID } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { config } from "./config.ts";
import type { Order } from "./orders.ts";

// Holds the effect of each order: a file that is named by the order's id. It stands for a table whose primary key is the
// order's id. Several processes may use it at the same time.
await mkdir(config.ORDERS_FOLDER, { recursive: true });

/**
 * Records an order, whole or not at all.
 *
 * @returns Whether it was new. When another delivery has recorded it before, nothing changes.
 */
export async function record(id: string, order: Order): Promise<boolean> {
  // A crash may leave the draft behind, but never a half-written order.
  const draft = join(config.ORDERS_FOLDER, `${id}.${randomUUID()}.draft`);
  await writeFile(draft, `${JSON.stringify(order)}\n`);
  try {
    await link(draft, join(config.ORDERS_FOLDER, `${id}.json`));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft);
  }
}
