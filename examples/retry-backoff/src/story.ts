import { deathsOf, type Headers, inWords } from "shared";
import { attempts } from "./topology.ts";

/**
 * Tells why a job was parked. A job that has expired in a queue has only waited there.
 *
 * @returns One line that is safe to print: `failed 4 times, at last rejected by a consumer of jobs_4 at …`
 */
export function story(headers: Headers): string {
  const queues = attempts.map(({ queue }): string => queue);
  const failures = deathsOf(headers).filter(({ queue }) => queues.includes(queue));
  const times = failures.reduce((sum, { count }) => sum + count, 0);
  const last = failures.find(({ queue }) => queue === attempts[3].queue) ?? failures[0];
  if (!last) return "why is unknown";
  return `failed ${times} ${times === 1 ? "time" : "times"}, at last ${inWords(last)}`;
}
