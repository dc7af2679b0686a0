import { setTimeout } from "node:timers/promises";
import amqp from "amqplib";
import { managementApi } from "./management.ts";

/** Where a node answers, and what it says of itself. */
interface Starting {
  amqpUrl: string;
  managementUrl: string;
  /** What it has logged since this start. */
  log: () => Promise<string>;
}

/**
 * Waits until a node has started completely, and answers an AMQP handshake and its management API.
 *
 * It answers somewhat earlier. But it may still find that another port is taken, and a virtual host that a cluster
 * gets meanwhile doesn't run on this node (`rabbit_vhost_sup_sup:start_on_all_nodes` leaves out who is booting).
 *
 * @param node Where it will answer, and its log.
 * @param giveUp Each ends the waiting; the promise then rejects with its reason.
 * @returns RabbitMQ's version.
 * @throws When two minutes were not enough, with what it answered last.
 */
export async function ready(
  { amqpUrl, managementUrl, log }: Starting,
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
  await untilDone(async () => {
    // What Testcontainers' own modules for RabbitMQ wait for, too
    if (!(await log()).includes("Server startup complete")) throw new Error("it is still starting");
  });
  await untilDone(() => handshake(amqpUrl));
  return untilDone(() => versionAt(managementUrl));
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
