import { text } from "shared";

/** A message's headers. Anybody may have written them, so they may be anything. */
type Headers = Record<string, unknown> | undefined;

/**
 * How often a job was tried, to the end.
 *
 * Our own header counts, not `x-death`: RabbitMQ 4 begins that anew each time a message is published, RabbitMQ 3
 * believes whoever publishes it.
 */
export function attemptsOf(headers: Headers): number {
  const attempts = headers?.attempts;
  return typeof attempts === "number" && Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 0;
}

/**
 * Tells why a job was parked, in words.
 *
 * @param headers The job's. Whatever makes no sense in them is left out.
 * @returns One line, safe to print.
 */
export function story(headers: Headers): string {
  const attempts = attemptsOf(headers);
  const failure = typeof headers?.failure === "string" ? `, at last: ${text(headers.failure)}` : "";
  const failed = attempts > 0 ? [`failed ${attempts} ${attempts === 1 ? "time" : "times"}${failure}`] : [];
  // A worker that parks a job leaves no x-death. Where there is one, it was the broker.
  const [death] = Array.isArray(headers?.["x-death"]) ? headers["x-death"] : [];
  const { reason } = Object(death);
  const died = typeof reason === "string" ? [sayings.get(reason) ?? `given up (${text(reason)})`] : [];
  return [...failed, ...died].join(", then ") || "nobody says why";
}

const sayings = new Map([
  ["delivery_limit", "came back too often without an answer"],
  ["rejected", "rejected by a worker"],
  ["expired", "expired"],
]);
