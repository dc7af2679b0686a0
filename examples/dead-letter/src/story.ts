import { deathsOf, type Headers, inWords } from "shared";
import { morgue } from "./topology.ts";

/**
 * Tells how a letter came into the morgue, in its order.
 *
 * @returns One line that is safe to print: `expired in orders at 2026-01-31T12:00:00Z (sent back before: 1)`
 */
export function story(headers: Headers): string {
  const deaths = deathsOf(headers).reverse();
  const inOrders = deaths.filter(({ queue }) => queue !== morgue).map(inWords);
  // Sending back is a rejection as well, so the broker counts it.
  const sentBack = deaths.find(({ queue, reason }) => queue === morgue && reason === "rejected")?.count;
  return `${inOrders.join(", then ") || "how it died is unknown"}${sentBack ? ` (sent back before: ${sentBack})` : ""}`;
}
