import { firstSignal, giveUp, integer, text, usage } from "shared";
import { Consumer } from "./messaging.ts";
import { declareQueue, isParity, parityOf, queues } from "./topology.ts";

const { words, refuse } = usage("consumer <odd|even>", "consumer odd");
const parity = isParity(words[0]) ? words[0] : refuse("Which integers? Say odd or even.");
const signalled = firstSignal();
const consumer = new Consumer(queues[parity], (channel) => declareQueue(channel, parity), print);

try {
  const ready = () => console.log(` [*] Waiting for ${parity} integers. To exit press CTRL+C`);
  await Promise.race([consumer.ready.then(ready), signalled]);
  await Promise.race([consumer.refused, signalled]);
  await consumer.close();
} catch (error) {
  giveUp(error);
}

function print(body: Buffer): boolean {
  const number = integer(body.toString(), Number.MIN_SAFE_INTEGER);
  const right = number !== undefined && parityOf(number) === parity;
  if (right) console.log(`${parity} integer: ${number}`);
  else console.error(` [!] Rejected what is not an ${parity} integer: ${text(body.subarray(0, 50))}`);
  return right;
}
