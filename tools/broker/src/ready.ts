import { setTimeout } from "node:timers/promises";
import amqp from "amqplib";
import { managementApi } from "./management.ts";

/**
 * Waits until a broker answers an AMQP handshake and its management API answers.
 *
 * @param amqpUrl Where it will answer.
 * @param managementUrl Where its management API will answer.
 * @param signal Ends the waiting; the promise then rejects with its reason.
 * @returns RabbitMQ's version.
 */
export async function ready(amqpUrl: string, managementUrl: string, signal: AbortSignal): Promise<string> {
  await untilDone(() => handshake(amqpUrl), signal);
  return untilDone(() => versionAt(managementUrl), signal);
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

async function untilDone<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch {
      // ms between two attempts
      await setTimeout(25);
    }
  }
}
