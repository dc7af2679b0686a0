import { setTimeout as pause } from "node:timers/promises";
import type { ConfirmChannel } from "amqplib";
import { connect } from "shared";
import { declareFailover, queue } from "./topology.ts";

export interface Run {
  /** With the message's number it is the message's id. */
  id: string;
  /** In messages. */
  count: number;
  /** In messages a second. */
  rate: number;
}

/** In messages: so many may be unconfirmed. */
const window = 1_000;
/** ms without a confirm, until a channel is given up. */
const silence = 2_000;

/**
 * Publishes a run of messages until each is confirmed. What is refused (nack), or unconfirmed when a channel or a
 * connection is lost, is published again on a new channel, with the same id: it may have arrived the first time. So is
 * what gets no answer: on RabbitMQ 4.3, a channel that has seen most members go may not learn that they are back.
 *
 * @returns How many messages were published more than once, and the longest time without a confirm, in ms.
 * @throws {BrokerError} When no broker can be reached at first.
 * @throws When the user may not declare or publish, or the queue exists with other arguments.
 */
export async function publishAll(run: Run): Promise<{ repeated: number; longestPause: number }> {
  const connection = await connect();
  const unconfirmed = new Set<number>();
  const repeated = new Set<number>();
  const began = performance.now();
  let [published, longestPause, confirmedAt, patience] = [0, 0, began, silence];
  const due = () => Math.min(run.count, Math.ceil(((performance.now() - began) * run.rate) / 1000));

  const confirmed = (number: number) => {
    unconfirmed.delete(number);
    longestPause = Math.max(longestPause, performance.now() - confirmedAt);
    confirmedAt = performance.now();
    patience = silence;
  };
  const attempt = async (channel: ConfirmChannel, stopped: AbortSignal, failed: (why: Error) => void) => {
    const publish = (number: number) =>
      channel.sendToQueue(
        queue,
        Buffer.from(`Message ${number} of ${run.count}`),
        { messageId: `${run.id}/${number}`, persistent: true },
        (refusal) => {
          // RabbitMQ 3.10 may go on refusing on a channel opened just after a leader's death: never try there again.
          if (refusal) failed(new Error("refused"));
          else if (!stopped.aborted) confirmed(number);
        },
      );
    await declareFailover(channel);
    for (const number of unconfirmed) {
      repeated.add(number);
      publish(number);
    }
    while (!stopped.aborted && (published < run.count || unconfirmed.size > 0)) {
      for (; published < due() && unconfirmed.size < window; publish(published)) unconfirmed.add(++published);
      await pause(10);
    }
  };

  const onNewChannel = async () => {
    const channel = await connection.createConfirmChannel();
    const opened = performance.now();
    const stopping = new AbortController();
    let silent: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((done, failed) => {
        channel.once("error", failed).once("close", () => failed(new Error("the connection was lost")));
        attempt(channel, stopping.signal, failed).then(done, failed);
        silent = setInterval(() => {
          const since = Math.max(opened, confirmedAt);
          if (unconfirmed.size > 0 && performance.now() - since > patience) failed(new Silence());
        }, 100);
      });
    } finally {
      clearInterval(silent);
      stopping.abort();
      channel.close().catch(() => {});
    }
  };

  try {
    while (published < run.count || unconfirmed.size > 0) {
      try {
        await onNewChannel();
      } catch (error) {
        if (isFinal(error)) throw error;
        if (error instanceof Silence) {
          if (patience === silence)
            console.error(
              ` [!] Nothing confirmed for ${silence / 1000} s. Do most of the queue's members run?`,
            );
          patience = Math.min(2 * patience, 8_000);
          continue;
        }
        console.error(
          ` [!] ${unconfirmed.size} unconfirmed (${(error as Error).message}). Publishing them again ...`,
        );
        // ms; electing a leader takes as long, and a broker without one would be asked thousands of times a second
        await pause(250);
      }
    }
  } finally {
    await connection.close();
  }
  return { repeated: repeated.size, longestPause };
}

class Silence extends Error {}

/** A fault of the program, or what the broker would refuse again (reply codes: AMQP 0-9-1, section 1.2). */
const isFinal = (error: unknown) =>
  error instanceof TypeError || [403, 405, 406].includes((error as { code?: number }).code ?? 0);
