import type { Channel } from "amqplib";

export const exchange = "integers";

/** The queue for each routing key. */
export const queues = { odd: "odds", even: "evens" };

export type Parity = keyof typeof queues;

export const isParity = (word: string | undefined): word is Parity => word === "odd" || word === "even";

/** Whether an integer is odd or even. */
export const parityOf = (integer: number): Parity => (integer % 2 === 0 ? "even" : "odd");

/** Declares the exchange and the queue of one kind, bound with its routing key. All of it survives a restart. */
export async function declareQueue(channel: Channel, parity: Parity): Promise<void> {
  await channel.assertExchange(exchange, "direct", { durable: true });
  await channel.assertQueue(queues[parity], { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(queues[parity], exchange, parity);
}

/** Declares the exchange and both queues, so that no integer is dropped because its consumer has never run. */
export async function declareIntegers(channel: Channel): Promise<void> {
  await declareQueue(channel, "odd");
  await declareQueue(channel, "even");
}
