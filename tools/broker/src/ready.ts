import { setTimeout } from "node:timers/promises";
import amqp from "amqplib";
import { managementApi } from "./management.ts";

/**
 * Waits until a broker answers an AMQP handshake, its management API answers and it listens for what else is asked.
 *
 * @param place Where it and its management API will answer, and whether it will speak MQTT and TLS, too.
 * @param giveUp Each ends the waiting; the promise then rejects with its reason.
 * @returns RabbitMQ's version.
 * @throws When two minutes were not enough, with what it answered last.
 */
export async function ready(
  { amqpUrl, managementUrl, mqtt, tls }: Expected,
  ...giveUp: (AbortSignal | undefined)[]
): Promise<string> {
  const signal = AbortSignal.any(giveUp.filter((each) => each !== undefined));
  // ms; a bound for machines under heavy load
  const deadline = AbortSignal.timeout(120_000);

  async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        if (deadline.aborted)
          throw new Error(`RabbitMQ didn't answer within two minutes: ${(error as Error).message}`);
        // ms between two attempts
        await setTimeout(25);
      }
    }
  }
  await untilDone(() => handshake(amqpUrl));
  if (mqtt) await untilDone(() => listensFor("mqtt", managementUrl));
  if (tls) await untilDone(() => listensFor("amqp/ssl", managementUrl));
  return untilDone(() => versionAt(managementUrl));
}

interface Expected {
  amqpUrl: string;
  managementUrl: string;
  mqtt?: unknown;
  tls?: unknown;
}

/** Asks the node itself, since Docker's proxy listens before it does. */
async function listensFor(wanted: string, managementUrl: string): Promise<void> {
  const overview = managementApi(managementUrl, 5_000)<{ listeners: { protocol: string }[] }>(
    "GET",
    "/overview",
  );
  if ((await overview).listeners.every(({ protocol }) => protocol !== wanted))
    throw new Error(`it doesn't listen for ${wanted}`);
}

/**
 * Asks a management API for RabbitMQ's version.
 *
 * @param managementUrl Where it answers.
 * @throws {ManagementError} When it doesn't within 5 s, or refuses.
 */
export async function versionAt(managementUrl: string): Promise<string> {
  const overview = await managementApi(managementUrl, 5_000)<{ rabbitmq_version: string }>(
    "GET",
    "/overview",
  );
  return overview.rabbitmq_version;
}

/**
 * Opens and closes a connection.
 *
 * @param url The broker's URL.
 * @throws What amqplib throws when nobody answers within 5 s, or the broker refuses.
 */
export async function handshake(url: string): Promise<void> {
  const connection = await amqp.connect(url, { timeout: 5_000, noDelay: true });
  connection.on("error", () => {});
  await connection.close();
}
