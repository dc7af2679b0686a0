import { randomUUID } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Order } from "./orders.ts";

/**
 * Where the effect of an order is kept: a file for each order, named by its id. It stands for a table whose primary key
 * is the order's id.
 */
export interface Ledger {
  /**
   * Records an order, whole or not at all.
   *
   * @returns Whether it was new. When another delivery has recorded it before, nothing changes.
   */
  record(id: string, order: Order): Promise<boolean>;
}

/**
 * Opens a ledger. Several processes may use it at the same time.
 *
 * @param folder Is made when it isn't there.
 */
export async function openLedger(folder: string): Promise<Ledger> {
  await mkdir(folder, { recursive: true });
  return {
    async record(id, order) {
      // A crash may leave the draft behind, but never a half-written order.
      const draft = join(folder, `${id}.${randomUUID()}.draft`);
      await writeFile(draft, `${JSON.stringify(order)}\n`);
      try {
        await link(draft, join(folder, `${id}.json`));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        await rm(draft);
      }
    },
  };
}
