import type { Channel } from "amqplib";
import { declareExchange, declareQueue } from "./messaging/declare.ts";

export const exchange = "integers";

/** The queue for each routing key. */
export const queues = { odd: "odds", even: "evens" };

export type Parity = keyof typeof queues;

export const isParity = (word: string | undefined): word is Parity => word === "odd" || word === "even";

/** Whether an integer is odd or even. */
export const parityOf = (integer: number): Parity => (integer % 2 === 0 ? "even" : "odd");

/** Declares the exchange and both queues, so that no integer is dropped because its consumer has never run. */
export async function declareIntegers(channel: Channel): Promise<void> {
  await declareExchange(channel, exchange);
  for (const [parity, queue] of Object.entries(queues)) await declareQueue(channel, queue, exchange, parity);
}
