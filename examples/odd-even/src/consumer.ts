import { firstSignal, giveUp, integer, usage } from "shared";
import { Consumer, Unusable } from "./messaging/consumer.ts";
import { exchange, isParity, parityOf, queues } from "./topology.ts";

const { words, refuse } = usage("consumer odd|even", "consumer odd");
const [word, ...more] = words;
const parity = isParity(word) && more.length === 0 ? word : refuse("Which integers? Say odd or even.");

function print(body: Buffer) {
  const number = integer(body.toString(), Number.MIN_SAFE_INTEGER);
  if (number === undefined || parityOf(number) !== parity)
    throw new Unusable(`Rejected what is no ${parity} integer: ${body.subarray(0, 50)}`);
  console.log(`${parity} integer: ${number}`);
}

try {
  const consumer = new Consumer();
  consumer.declareExchange(exchange);
  consumer.declareQueue(queues[parity], exchange, parity);
  const signalled = firstSignal();
  const ready = () => console.log(` [*] Waiting for ${parity} integers. To exit press CTRL+C`);
  await Promise.race([consumer.startConsuming(queues[parity], print).then(ready), signalled]);
  await signalled;
  await consumer.stopConsuming();
  await consumer.close();
} catch (error) {
  giveUp(error);
}
